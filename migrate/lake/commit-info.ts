import { z } from 'zod'
import { LAKE } from '../../backends/ducklake/catalog.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from './lake.ts'

const AUTHOR = 'lakeduel migrate'

/** What a snapshot of a migration says of itself, so that it can be told from others. */
export interface CommitInfo {
  readonly migration: string
  readonly deltaVersion: number
}

/**
 * Tells of the open transaction who commits it, and for which migration.
 * @param author of the commit in the Delta table that it carries over; null for none
 */
export async function setCommitInfo(
  lake: Lake,
  message: string,
  info: CommitInfo,
  author: string | null = null,
): Promise<void> {
  const extra = JSON.stringify({ lakeduel: info })
  await lake.session.run(
    `CALL ${LAKE}.set_commit_message(${literal(author ?? AUTHOR)}, ${literal(message)}, extra_info => ${literal(extra)})`,
  )
}

/** The snapshots of a migration, in their order. */
export async function snapshotsOf(lake: Lake, migration: string): Promise<readonly number[]> {
  const rows = await lake.session.query(
    z.object({ id: z.bigint() }),
    `SELECT snapshot_id AS id FROM ${lake.metadata}.ducklake_snapshot_changes
     WHERE ${ofMigration(migration)} ORDER BY 1`,
  )
  return rows.map(({ id }) => Number(id))
}

/** Whether a row of `ducklake_snapshot_changes` is of a migration, in SQL. */
export function ofMigration(migration: string): string {
  return `contains(commit_extra_info, ${literal(`"migration":${JSON.stringify(migration)}`)})`
}
