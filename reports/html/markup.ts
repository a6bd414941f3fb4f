import type { Column, Table } from '../tables/table.ts'

/** From so many rows on, a folded table becomes elements only when it is opened. */
const LONG = 500

/** @param shape `folded` tables open on a click, so that the page stays readable */
export function renderTable(
  { title, columns, rows, places = [], elsewhere = '' }: Table,
  shape: 'plain' | 'folded',
): string {
  if (rows.length === 0) return ''
  const head = columns.map(
    ({ title: name, numeric, arm }) =>
      `<th scope="col"${classOf(numeric)}${mark('arm', arm)}>${escapeHtml(name)}</th>`,
  )
  const body = rows.map((row, at) => {
    const fields = columns.map((column, index) => renderField(column, row[index] ?? ''))
    return `<tr${marksOf(columns, row)}${mark('at', places[at])}>${fields.join('')}</tr>`
  })
  const table = `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(title)}"><table>
<thead><tr>${head.join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>`
  if (shape === 'folded' && rows.length > LONG)
    return `<details class="late"${mark('at', elsewhere)}><summary>${escapeHtml(title)}</summary><script type="text/html">${table}</script></details>`
  return shape === 'plain'
    ? table
    : `<details${mark('at', elsewhere)}><summary>${escapeHtml(title)}</summary>${table}</details>`
}

/** What the filters of the page go by. */
function marksOf(columns: Table['columns'], row: readonly string[]): string {
  const marks = columns.map(({ title }, index) =>
    title === 'arm' || title === 'at' ? mark(title, row[index]) : '',
  )
  return marks.join('')
}

function mark(name: 'arm' | 'at', value: string | undefined): string {
  return value === undefined || value === '' ? '' : ` data-${name}="${escapeHtml(value)}"`
}

function renderField({ title, numeric, arm }: Column, value: string): string {
  if (title === 'arm') return `<td class="arm">${escapeHtml(value)}</td>`
  if (title === 'verdict') {
    return `<td class="${value === 'passed' ? 'passed' : 'failure'}">${value === 'passed' ? '✓' : '✕'} ${escapeHtml(value)}</td>`
  }
  return `<td${classOf(numeric)}${mark('arm', arm)}>${escapeHtml(value)}</td>`
}

function classOf(numeric: boolean): string {
  return numeric ? ' class="number"' : ''
}

export function renderList(items: readonly string[]): string {
  return items.length === 0
    ? ''
    : `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('\n')}</ul>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
