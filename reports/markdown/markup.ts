import { plainText } from '../plain-text.ts'
import type { Table } from '../tables/table.ts'

export function renderTable({ title, columns, rows }: Table, level: '##' | '###'): string {
  return [
    `${level} ${escapeMarkdown(title)}`,
    '',
    tableLine(columns.map((column) => escapeMarkdown(column.title))),
    tableLine(columns.map((column) => (column.numeric ? '--:' : ':--'))),
    ...rows.map((row) => tableLine(row.map(escapeMarkdown))),
  ].join('\n')
}

function tableLine(fields: readonly string[]): string {
  return `| ${fields.join(' | ')} |`
}

export function renderList(items: readonly string[], whenEmpty: string): string {
  return items.length === 0 ? whenEmpty : items.map((item) => `- ${escapeMarkdown(item)}`).join('\n')
}

/**
 * Engine messages hold pipes, angle brackets and newlines, which would break a table or be read as HTML. It goes to stdout unless
 * it is told otherwise, so that nothing in it may steer a terminal.
 */
export function escapeMarkdown(value: string): string {
  return plainText(value.replaceAll(/\s*\n\s*/g, ' '))
    .replaceAll(/[\\`*_|[\]]/g, String.raw`\$&`)
    .replaceAll('<', '&lt;')
}
