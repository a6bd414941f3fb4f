import { z } from 'zod'
import { ofMigration } from '../lake/commit-info.ts'
import type { Lake } from '../lake/lake.ts'

/** The snapshot that a version of a Delta table became: readers name it with `AT (VERSION => snapshot)`. */
export interface VersionSnapshot {
  readonly version: number
  readonly snapshot: number
}

const infoSchema = z.object({ lakeduel: z.object({ migration: z.string(), deltaVersion: z.number() }) })

/** Those of a migration, oldest first. A version that took several transactions is there from the last of them on. */
export async function versionSnapshots(lake: Lake, migration: string): Promise<readonly VersionSnapshot[]> {
  const rows = await lake.session.query(
    z.object({ id: z.bigint(), info: z.string() }),
    `SELECT snapshot_id AS id, commit_extra_info AS info FROM ${lake.metadata}.ducklake_snapshot_changes
     WHERE ${ofMigration(migration)} ORDER BY 1`,
  )
  const last = new Map<number, number>()
  for (const { id, info } of rows)
    last.set(infoSchema.parse(JSON.parse(info)).lakeduel.deltaVersion, Number(id))
  return [...last]
    .map(([version, snapshot]) => ({ version, snapshot }))
    .toSorted((a, b) => a.version - b.version)
}
