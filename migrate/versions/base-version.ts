import type { DeltaLog } from '../log/log.ts'
import type { DeltaSnapshot } from '../log/snapshot.ts'
import { planColumns } from '../plan/columns.ts'
import { VersionWalk } from './walk.ts'

/** The version that a history can begin with, and why not earlier. */
export interface BaseVersion {
  readonly version: number
  /** Null where it is as early as was asked for. */
  readonly reason: string | null
}

/**
 * The oldest version from which on every version can be put together and read: its commits are there, its data files are, and
 * DuckLake has its types.
 * @param present every file of the storage, by key
 * @param last the version that the history ends with
 * @param wanted how many versions before the last; `all` for as many as there are
 */
export async function baseVersion(
  log: DeltaLog,
  present: ReadonlyMap<string, unknown>,
  last: number,
  wanted: number | 'all',
): Promise<BaseVersion> {
  const earliest = wanted === 'all' ? 0 : Math.max(0, last - wanted)
  const start = firstWalkable(log, earliest, last)
  const walk = await VersionWalk.startAt(log, start)
  let base: BaseVersion = {
    version: start,
    reason: start > earliest ? `the log doesn't tell versions before ${start} any more` : null,
  }
  for (let snapshot: DeltaSnapshot | null = walk.current; snapshot !== null; ) {
    const problem = problemOf(snapshot, present)
    if (problem !== null)
      base = { version: snapshot.version + 1, reason: `version ${snapshot.version} can't be had: ${problem}` }
    snapshot = (await walk.next(last))?.after ?? null
  }
  return { ...base, version: Math.min(base.version, last) }
}

/** The first version at or behind `earliest` from which on no commit is missing. */
function firstWalkable({ listing, oldestVersion }: DeltaLog, earliest: number, last: number): number {
  let start = last
  while (start > 0 && listing.commits.has(start)) start -= 1
  const unbroken = start === 0 ? 0 : start
  const from = Math.max(earliest, oldestVersion, unbroken)
  // A version itself is put together from a checkpoint, or from commits all the way down.
  const startable = listing.commits.has(0) && unbroken === 0
  if (startable) return from
  const checkpoints = listing.checkpoints
    .map(({ version }) => version)
    .filter((version) => version >= unbroken && version <= last)
  const oldestCheckpoint = Math.min(...checkpoints)
  return Math.max(from, Number.isFinite(oldestCheckpoint) ? oldestCheckpoint : last)
}

function problemOf(snapshot: DeltaSnapshot, present: ReadonlyMap<string, unknown>): string | null {
  const missing = snapshot.files.find(({ key }) => key !== null && !present.has(key))
  if (missing !== undefined) return `${missing.uri} is missing`
  const { problems } = planColumns(snapshot.table)
  return problems[0] ?? null
}
