import { z } from 'zod'
import { literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from './lake.ts'
import type { TableName } from './table-name.ts'

/** The id of a table in the catalog's last snapshot, or null where there is none. */
export async function tableId(
  { session, metadata }: Lake,
  { schema, table }: TableName,
): Promise<bigint | null> {
  const [row] = await session.query(
    z.object({ id: z.bigint() }),
    `SELECT t.table_id AS id FROM ${metadata}.ducklake_table AS t
     JOIN ${metadata}.ducklake_schema AS s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
     WHERE t.table_name = ${literal(table)} AND s.schema_name = ${literal(schema)} AND t.end_snapshot IS NULL`,
  )
  return row?.id ?? null
}

/** The row id that the next row of a table gets; rows of a transaction get theirs in the order in which they are written. */
export async function nextRowId(lake: Lake, name: TableName): Promise<bigint> {
  const id = await tableId(lake, name)
  const [row] = await lake.session.query(
    z.object({ next_row_id: z.bigint() }),
    `SELECT next_row_id FROM ${lake.metadata}.ducklake_table_stats WHERE table_id = ${id ?? -1n}`,
  )
  return row?.next_row_id ?? 0n
}
