import { z } from 'zod'
import { snapshotsOf } from '../lake/commit-info.ts'
import type { Lake } from '../lake/lake.ts'
import type { HistoryEntry } from '../log/history.ts'
import type { MigrationState } from '../state/state.ts'
import { versionSnapshots } from './version-snapshots.ts'

/**
 * Gives the snapshots of a history the times of the versions that they are of, so that `AT (TIMESTAMP => …)` finds what Delta's
 * time travel found.
 *
 * Snapshots are of a whole catalog, and their times must rise with their numbers. So it is done only in a catalog that has
 * nothing else in it, and in which no option lets snapshots expire by their age, which would take the history at once.
 * @returns why the times are those of the migration instead; null where they were kept
 */
export async function keepTimes(
  lake: Lake,
  state: MigrationState,
  history: readonly HistoryEntry[],
): Promise<string | null> {
  const versions = await versionSnapshots(lake, state.id)
  const unsafe = await whyUnsafe(lake, state)
  if (unsafe !== null) return unsafe
  const timeOf = new Map(history.map(({ version, timestampMs }) => [version, timestampMs]))
  const known = versions.flatMap(({ version, snapshot }) => {
    const timeMs = timeOf.get(version)
    return timeMs === undefined || version > state.goal ? [] : [{ snapshot, timeMs }]
  })
  const [first] = known
  if (first === undefined) return 'the log does not tell when its versions were made'
  await setTimes(lake, timesBefore(first, await snapshotsUpTo(lake, first.snapshot)).concat(known.slice(1)))
  return null
}

interface SnapshotTime {
  readonly snapshot: number
  readonly timeMs: number
}

/** The base version took several snapshots, of which the last has its time; those before it are a millisecond apart. */
function timesBefore(first: SnapshotTime, snapshots: readonly number[]): readonly SnapshotTime[] {
  return snapshots.map((snapshot, index) => ({
    snapshot,
    timeMs: first.timeMs - (snapshots.length - 1 - index),
  }))
}

async function snapshotsUpTo({ session, metadata }: Lake, last: number): Promise<readonly number[]> {
  const rows = await session.query(
    z.object({ id: z.bigint() }),
    `SELECT snapshot_id AS id FROM ${metadata}.ducklake_snapshot WHERE snapshot_id <= ${last} ORDER BY 1`,
  )
  return rows.map(({ id }) => Number(id))
}

async function setTimes({ session, metadata }: Lake, times: readonly SnapshotTime[]): Promise<void> {
  const values = times.map(({ snapshot, timeMs }) => `(${snapshot}, ${timeMs})`)
  await session.run(
    `UPDATE ${metadata}.ducklake_snapshot AS s SET snapshot_time = make_timestamptz(kept.time_ms * 1000)
     FROM (VALUES ${values.join(', ')}) AS kept(snapshot, time_ms) WHERE s.snapshot_id = kept.snapshot`,
  )
}

async function whyUnsafe(lake: Lake, { id }: MigrationState): Promise<string | null> {
  const own = new Set(await snapshotsOf(lake, id))
  const rows = await lake.session.query(
    z.object({ id: z.bigint() }),
    `SELECT snapshot_id AS id FROM ${lake.metadata}.ducklake_snapshot ORDER BY 1`,
  )
  // The one that is made with a catalog has no migration's mark.
  const others = rows.map((row) => Number(row.id)).filter((snapshot) => snapshot > 0 && !own.has(snapshot))
  if (others.length > 0) return 'the catalog has snapshots of other tables, and times of snapshots must rise'
  const options = await lake.session.query(
    z.object({ value: z.string() }),
    `SELECT value FROM ${lake.metadata}.ducklake_metadata WHERE key = 'expire_older_than'`,
  )
  return options.length === 0 ? null : 'the catalog lets snapshots expire by their age (expire_older_than)'
}
