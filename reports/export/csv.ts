/** Comma-separated values by RFC 4180, one metric of one cell a line. */

import { metricsOf } from '../metrics.ts'
import { writtenOut } from '../plain-text.ts'
import type { Cell, Results } from '../schema.ts'

const COLUMNS = [
  'run',
  'started_at',
  'scenario',
  'arm',
  'point',
  'repetition',
  'control',
  'status',
  'metric',
  'value',
  'unit',
  'kind',
  'better',
] as const

/** Every value of every cell; a cell without any, as one that failed at once, has a line with its status alone. */
export function resultsCsv(files: readonly Results[]): string {
  const rows = files.flatMap(({ run, cells }) => cells.flatMap((cell) => rowsOf(run.id, cell)))
  return renderCsv([COLUMNS, ...rows])
}

function rowsOf(run: string, cell: Cell): readonly (readonly CsvField[])[] {
  const { startedAt, scenario, arm, point, repetition, control, status } = cell
  const axes = Object.entries(point).map(([axis, value]) => `${axis}=${value}`)
  const identity = [run, startedAt, scenario, arm, axes.join(' '), repetition, String(control), status]
  const metrics = [...metricsOf(cell)]
  if (metrics.length === 0) return [[...identity, '', '', '', '', '']]
  return metrics.map(([name, { value, unit, kind, better }]) => [
    ...identity,
    name,
    value,
    unit,
    kind,
    better,
  ])
}

export type CsvField = string | number

export function renderCsv(rows: readonly (readonly CsvField[])[]): string {
  return rows.map((row) => `${row.map(renderField).join(',')}\r\n`).join('')
}

/**
 * A spreadsheet takes text that begins with = + - or @ for a formula, which a name from a file must never become, and a terminal
 * obeys control characters.
 */
function renderField(field: CsvField): string {
  if (typeof field === 'number') return String(field)
  const shown = field.replaceAll(/[^\P{Cc}\t\r\n]/gu, writtenOut)
  const text = /^[=+\-@\t\r]/.test(shown) ? `'${shown}` : shown
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
