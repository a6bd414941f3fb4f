import { stripVTControlCharacters, styleText } from 'node:util'
import CliTable from 'cli-table3'
import type { Results } from './schema.ts'
import type { ScenarioSummary } from './summary.ts'
import { summarize } from './summary.ts'
import { comparisonTable } from './tables/comparison.ts'
import { gridTable } from './tables/grid.ts'
import type { Column, Table } from './tables/table.ts'

export interface ConsoleOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly color: boolean
}

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

function renderScenario(summary: ScenarioSummary, options: ConsoleOptions): string {
  const { name, scenario, verdict } = summary
  return [
    paint('bold', name, options),
    wrap(scenario.question, options.width, ''),
    drawTable(overviewOf(summary, options.width), options),
    paint('bold', wrap(verdict.headline, options.width, ''), options),
    ...verdict.details.map((detail) => wrap(`· ${detail}`, options.width, '  ')),
  ].join('\n')
}

/** One line a point where the terminal has room for all arms beside one another, else one line a point and arm. */
function overviewOf(summary: ScenarioSummary, width: number): Table {
  const grid = gridTable(summary)
  if (grid !== null && widthOf(grid.columns, grid) <= width) return grid
  return comparisonTable(summary)
}

function drawTable(table: Table, options: ConsoleOptions): string {
  const { kept, widths } = fitColumns(table, options.width)
  const drawn = new CliTable({
    head: kept.map(({ title }) => paint('bold', title, options)),
    colWidths: [...widths],
    colAligns: kept.map(({ numeric }) => (numeric ? 'right' : 'left')),
    wordWrap: true,
    // No lines between rows: a terminal has too few lines to spend half of them.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
  })
  const places = kept.map((column) => table.columns.indexOf(column))
  drawn.push(
    ...table.rows.map((row) =>
      kept.map(({ title }, index) => paintField(title, row[places[index] ?? 0] ?? '', options)),
    ),
  )
  return drawn.toString()
}

/** Drops columns until the rest fits; what is left over goes to the verdict, which wraps. */
function fitColumns(
  table: Table,
  width: number,
): { readonly kept: readonly Column[]; readonly widths: readonly number[] } {
  const verdict = table.columns.find(({ title }) => title === 'verdict')
  const verdictWidth = verdict === undefined ? 0 : Math.min(WIDEST_VERDICT, naturalWidth(verdict, table))
  const spare = (columns: readonly Column[]) =>
    width -
    widthOf(
      columns.filter((column) => column !== verdict),
      table,
    ) -
    (verdict === undefined ? 0 : 1)
  const dispensable = table.columns
    .filter((column) => column.dispensable !== undefined)
    .toSorted((a, b) => (b.dispensable ?? 0) - (a.dispensable ?? 0))
  let kept = table.columns
  for (const column of dispensable) {
    if (spare(kept) >= Math.min(NARROWEST_VERDICT, verdictWidth)) break
    kept = kept.filter((other) => other !== column)
  }
  const last = Math.max(8, Math.min(verdictWidth, spare(kept)))
  return { kept, widths: kept.map((column) => (column === verdict ? last : naturalWidth(column, table))) }
}

/** Of whole columns with the lines around them. */
function widthOf(columns: readonly Column[], table: Table): number {
  return columns.reduce((sum, column) => sum + naturalWidth(column, table) + 1, 1)
}

/** Titles wrap at blanks, values don't. */
function naturalWidth(column: Column, { columns, rows }: Table): number {
  const place = columns.indexOf(column)
  const words = column.title.split(' ').map((word) => word.length)
  return Math.max(...words, ...rows.map((row) => row[place]?.length ?? 0)) + 2
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
