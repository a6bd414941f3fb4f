import { z } from 'zod'
import { literal } from '../../platform/duckdb/sql.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { ofMigration } from './commit-info.ts'
import type { Lake } from './lake.ts'
import { tableId } from './table-id.ts'
import type { TableName } from './table-name.ts'

/** Snapshots in which others than its migration have changed a table, oldest first; compaction is a change, too. */
export async function foreignChanges(
  lake: Lake,
  name: TableName,
  migration: string,
): Promise<readonly number[]> {
  const id = (await tableId(lake, name)) ?? -1n
  const rows = await lake.session.query(
    z.object({ snapshot_id: z.bigint() }),
    `SELECT snapshot_id FROM ${lake.metadata}.ducklake_snapshot_changes
     WHERE regexp_matches(changes_made, ${literal(`:${id}(,|$)`)}) AND NOT coalesce(${ofMigration(migration)}, false)
     ORDER BY 1`,
  )
  return rows.map(({ snapshot_id }) => Number(snapshot_id))
}

/** @throws LakeduelError `MIGRATION_REFUSED` where there are any */
export async function assertUnchangedByOthers(
  lake: Lake,
  name: TableName,
  migration: string,
  remedy: string,
): Promise<void> {
  const snapshots = await foreignChanges(lake, name, migration)
  const [first] = snapshots
  if (first === undefined) return
  throw new LakeduelError(
    'MIGRATION_REFUSED',
    `${name.schema}.${name.table} was changed after its migration (${snapshots.length} snapshots, the first is ${first}).`,
    { facts: { ...name, snapshots }, remedy },
  )
}
