import type { Lake } from '../lake/lake.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import type { PlannedColumn } from '../plan/columns.ts'
import type { Difference } from './compare.ts'

/** Names and types of the columns, in their order. */
export async function schemaDifferences(
  { session }: Lake,
  name: TableName,
  columns: readonly PlannedColumn[],
): Promise<readonly Difference[]> {
  const stored = await session.columnsOf(`FROM ${sqlName(name)}`)
  const plain = (text: string) => text.replaceAll(/[" ]/g, '')
  const wanted = columns.map(({ field, sql }) => `${field.name} ${plain(sql)}`)
  const found = stored.map((column) => `${column.name} ${plain(column.type.toString())}`)
  return Array.from({ length: Math.max(wanted.length, found.length) }, (_, index) => index)
    .filter((index) => wanted[index] !== found[index])
    .map((index) => ({
      subject: `column ${index + 1}`,
      delta: wanted[index] ?? 'none',
      lake: found[index] ?? 'none',
    }))
}
