import { literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from '../lake/lake.ts'
import { tableId } from '../lake/table-id.ts'
import { stagingName, type TableName } from '../lake/table-name.ts'

/**
 * Gives a published table its name in the snapshots before its publication, too: DuckLake looks a name up in the snapshot
 * that is asked for, and there it was still called by its staging name. Doing it again changes nothing.
 */
export async function nameHistory(lake: Lake, target: TableName): Promise<void> {
  const id = await tableId(lake, target)
  if (id === null) return
  await lake.session.run(
    `UPDATE ${lake.metadata}.ducklake_table SET table_name = ${literal(target.table)}
     WHERE table_id = ${id} AND table_name = ${literal(stagingName(target).table)}`,
  )
}
