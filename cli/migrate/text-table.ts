import Table from 'cli-table3'

/** A table as the commands of lakeduel print it. */
export function textTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...titles], style: { head: [], border: [], compact: true } })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}
