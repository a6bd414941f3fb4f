import { stripVTControlCharacters, styleText } from 'node:util'
import CliTable from 'cli-table3'
import { plainText } from './plain-text.ts'
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

function plainTable({ title, columns, rows }: Table): Table {
  return {
    title: plainText(title),
    columns: columns.map((column) => ({ ...column, title: plainText(column.title) })),
    rows: rows.map((row) => row.map(plainText)),
  }
}

export function drawTable(given: Table, options: ConsoleOptions): string {
  const table = plainTable(given)
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
export function widthOf(columns: readonly Column[], table: Table): number {
  return columns.reduce((sum, column) => sum + naturalWidth(column, table) + 1, 1)
}

/** Titles wrap at blanks, values don't. */
function naturalWidth(column: Column, { columns, rows }: Table): number {
  const place = columns.indexOf(column)
  const words = column.title.split(' ').map((word) => word.length)
  return Math.max(...words, ...rows.map((row) => row[place]?.length ?? 0)) + 2
}

function paintField(title: string, value: string, options: ConsoleOptions): string {
  return title === 'verdict' ? paint(colourOf(value), value, options) : value
}

function colourOf(verdict: string): Colour {
  if (/^(?:passed|same|better)\b/.test(verdict)) return 'green'
  return /^(?:inconclusive|new|acknowledged)\b/.test(verdict) ? 'yellow' : 'red'
}

type Colour = 'bold' | 'green' | 'red' | 'yellow'

export function paint(style: Colour, value: string, { color }: ConsoleOptions): string {
  return color ? styleText(style, value, { validateStream: false }) : value
}

/** Wraps at blanks; colour codes take no width. */
export function wrap(value: string, width: number, indent: string): string {
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
