import { stripVTControlCharacters, styleText } from 'node:util'
import CliTable from 'cli-table3'
import type { Results } from './schema.ts'
import { TIME_BASELINE } from './summary/verdict.ts'
import type { ScenarioSummary } from './summary.ts'
import { summarize } from './summary.ts'
import { comparisonTable } from './tables.ts'

export interface ConsoleOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly color: boolean
}

/** What to give up first where the terminal is too narrow for all columns; the arm and its apply time always stay. */
const DISPENSABLE = [
  'read before',
  'read maintained',
  `vs ${TIME_BASELINE}`,
  'written',
  'S3 requests',
  'read after',
  'peak memory (added)',
]
const NARROWEST_VERDICT = 16
const WIDEST_VERDICT = 44

/** 120 columns without colours where the output is no terminal; https://no-color.org decides for terminals. */
export function consoleOptions(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  environment: Readonly<Record<string, string | undefined>>,
): ConsoleOptions {
  const terminal = stream.isTTY === true
  return {
    width: (terminal ? stream.columns : undefined) ?? 120,
    color: terminal && (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb',
  }
}

/** The table and the sentences that end a run: who wins, by how much, how sure, and what to doubt. */
export function renderConsole(results: Results, options: ConsoleOptions): string {
  const summary = summarize(results)
  const warnings = summary.warnings.map(({ message, remedy }) =>
    wrap(`${paint('yellow', '!', options)} ${message} ${remedy}`, options.width, '  '),
  )
  return [
    ...summary.scenarios.map((scenario) => renderScenario(scenario, options)),
    ...(warnings.length === 0 ? [] : [warnings.join('\n')]),
  ].join('\n\n')
}

function renderScenario({ name, scenario, arms, verdict }: ScenarioSummary, options: ConsoleOptions): string {
  const table = comparisonTable(arms)
  const rows = table.rows.map(
    (row) => new Map(table.columns.map((column, i) => [column.title, row[i] ?? ''])),
  )
  return [
    paint('bold', name, options),
    wrap(scenario.question, options.width, ''),
    drawTable(
      table.columns.map((column) => column.title),
      rows,
      new Set(table.columns.filter((column) => column.numeric).map((column) => column.title)),
      options,
    ),
    paint('bold', wrap(verdict.headline, options.width, ''), options),
    ...verdict.details.map((detail) => wrap(`· ${detail}`, options.width, '  ')),
  ].join('\n')
}

function drawTable(
  titles: readonly string[],
  rows: readonly ReadonlyMap<string, string>[],
  numeric: ReadonlySet<string>,
  options: ConsoleOptions,
): string {
  const { kept, widths } = fitColumns(titles, rows, options.width)
  const table = new CliTable({
    head: kept.map((title) => paint('bold', title, options)),
    colWidths: [...widths],
    colAligns: kept.map((title) => (numeric.has(title) ? 'right' : 'left')),
    wordWrap: true,
    // No lines between rows: a terminal has too few lines to spend half of them.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
  })
  table.push(...rows.map((row) => kept.map((title) => paintField(title, row.get(title) ?? '', options))))
  return table.toString()
}

/** Drops columns until the rest fits; what is left over goes to the verdict, which wraps. */
function fitColumns(
  titles: readonly string[],
  rows: readonly ReadonlyMap<string, string>[],
  width: number,
): { readonly kept: readonly string[]; readonly widths: readonly number[] } {
  const natural = (title: string) =>
    Math.max(
      ...title.split(' ').map((word) => word.length),
      ...rows.map((row) => row.get(title)?.length ?? 0),
    ) + 2
  const verdictWidth = Math.min(WIDEST_VERDICT, natural('verdict'))
  const spare = (kept: readonly string[]) => {
    const figures = kept.filter((title) => title !== 'verdict')
    return width - figures.reduce((sum, title) => sum + natural(title) + 1, 0) - 2
  }
  let kept = [...titles]
  for (const title of DISPENSABLE) {
    if (spare(kept) >= Math.min(NARROWEST_VERDICT, verdictWidth)) break
    kept = kept.filter((other) => other !== title)
  }
  const last = Math.max(8, Math.min(verdictWidth, spare(kept)))
  return { kept, widths: kept.map((title) => (title === 'verdict' ? last : natural(title))) }
}

function paintField(title: string, value: string, options: ConsoleOptions): string {
  return title === 'verdict' ? paint(value === 'passed' ? 'green' : 'red', value, options) : value
}

function paint(style: 'bold' | 'green' | 'red' | 'yellow', value: string, { color }: ConsoleOptions): string {
  return color ? styleText(style, value, { validateStream: false }) : value
}

/** Wraps at blanks; colour codes take no width. */
function wrap(value: string, width: number, indent: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of value.split(/\s+/)) {
    if (line !== '' && stripVTControlCharacters(`${line} ${word}`).length > width) {
      lines.push(line)
      line = indent + word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line].join('\n')
}
