import type { Comparison } from '../compare.ts'
import { plainText } from '../plain-text.ts'
import { type ConsoleOptions, drawTable, paint, wrap } from '../terminal.ts'
import { describeGroup } from './pairs.ts'
import { groupTables, headlineOf, notesOn, tally } from './rows.ts'

/** The verdict first, then what got worse, better or stays open, arm by arm, then what to know. */
export function renderComparison(comparison: Comparison, options: ConsoleOptions, all: boolean): string {
  const told = (value: string, indent = '  ') => wrap(plainText(value), options.width, indent)
  return [
    paint('bold', told(headlineOf(comparison)), options),
    ...outcomeLines(comparison).map((line) => told(line)),
    ...tables(comparison, options, all),
    ...notesOn(comparison).map((note) => told(`· ${note}`)),
  ].join('\n')
}

/** What became of arms, where it isn't that all passed in both files. */
function outcomeLines({ outcomes }: Comparison): readonly string[] {
  return outcomes.flatMap((outcome) =>
    outcome.reason === '' ? [] : [`${outcome.verdict}: ${describeGroup(outcome)}: ${outcome.reason}`],
  )
}

function tables({ judgements }: Comparison, options: ConsoleOptions, all: boolean): readonly string[] {
  const counts = Map.groupBy(judgements, describeGroup)
  return groupTables(judgements, all).flatMap((table, index) => {
    const heading = wrap(
      plainText(`${table.title}: ${tally([...counts.values()][index] ?? [])}`),
      options.width,
      '  ',
    )
    return [
      '',
      paint('bold', heading, options),
      ...(table.rows.length === 0 ? [] : [drawTable(table, options)]),
    ]
  })
}
