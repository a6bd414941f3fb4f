import type { Comparison } from '../compare.ts'
import { escapeMarkdown, renderList, renderTable } from '../markdown/markup.ts'
import { describeGroup } from './pairs.ts'
import { groupTables, headlineOf, notesOn, tally } from './rows.ts'

/** A comment for a pull request: the verdict, what isn't the same, and all figures folded away. */
export function renderComparisonMarkdown(comparison: Comparison): string {
  const { outcomes, judgements } = comparison
  const changed = groupTables(judgements, false).filter(({ rows }) => rows.length > 0)
  const happened = outcomes.flatMap((outcome) =>
    outcome.reason === '' ? [] : [`${outcome.verdict}: ${describeGroup(outcome)}: ${outcome.reason}`],
  )
  const sections = [
    `## ${escapeMarkdown(headlineOf(comparison))}`,
    ...(happened.length === 0 ? [] : [renderList(happened, '')]),
    ...changed.map((table) => renderTable(table, '###')),
    renderList(notesOn(comparison), ''),
    '<details><summary>All figures</summary>',
    escapeMarkdown(`In all: ${tally(judgements)}.`),
    ...groupTables(judgements, true).map((table) => renderTable(table, '###')),
    '</details>',
  ]
  return `${sections.join('\n\n')}\n`
}
