import { z } from 'zod'
import { LAKE } from '../../backends/ducklake/catalog.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from './lake.ts'
import type { TableName } from './table-name.ts'

/** The URIs of the data files of a lake table, as often as they are in it. */
export async function filesOf({ session }: Lake, { schema, table }: TableName): Promise<readonly string[]> {
  const rows = await session.query(
    z.object({ data_file: z.string() }),
    `SELECT data_file FROM ducklake_list_files(${literal(LAKE)}, ${literal(table)}, schema => ${literal(schema)})`,
  )
  return rows.map(({ data_file }) => data_file)
}
