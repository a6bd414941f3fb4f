import type { Lake } from '../lake/lake.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import type { PlannedColumn } from '../plan/columns.ts'
import type { Difference } from './compare.ts'

/**
 * Names and types of the columns.
 * @param anyOrder whether they may be in another order: DuckLake adds those of later versions at the end
 */
export async function schemaDifferences(
  { session }: Lake,
  name: TableName,
  columns: readonly PlannedColumn[],
  anyOrder: boolean,
): Promise<readonly Difference[]> {
  const stored = await session.columnsOf(`FROM ${sqlName(name)}`)
  const ordered = (texts: readonly string[]) => (anyOrder ? texts.toSorted() : texts)
  const plain = (text: string) => text.replaceAll(/[" ]/g, '')
  const wanted = ordered(columns.map(({ field, sql }) => `${field.name} ${plain(sql)}`))
  const found = ordered(stored.map((column) => `${column.name} ${plain(column.type.toString())}`))
  return Array.from({ length: Math.max(wanted.length, found.length) }, (_, index) => index)
    .filter((index) => wanted[index] !== found[index])
    .map((index) => ({
      subject: `column ${index + 1}`,
      delta: wanted[index] ?? 'none',
      lake: found[index] ?? 'none',
    }))
}
