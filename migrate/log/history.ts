import pLimit from 'p-limit'
import type { ActionSet, CommitInfo } from './actions.ts'
import type { DeltaLog } from './log.ts'

/** One version, as its commit tells of it. */
export interface HistoryEntry {
  readonly version: number
  readonly timestampMs: number
  /** Where the time comes from: the commit itself, or the time at which its file was written. */
  readonly timestampFrom: 'commit' | 'file'
  readonly info: CommitInfo | null
  readonly filesAdded: number
  readonly filesRemoved: number
  readonly bytesAdded: number
  readonly changesSchema: boolean
  readonly changesProtocol: boolean
}

const PARALLEL_READS = 16

/** The commits that are still there, the newest first; of a log that was cleaned up those are the last ones. */
export async function readHistory(log: DeltaLog, limit: number): Promise<readonly HistoryEntry[]> {
  const versions = [...log.listing.commits.keys()].toSorted((a, b) => b - a).slice(0, limit)
  const entries = await pLimit(PARALLEL_READS).map(versions, async (version) =>
    entryOf(log, version, await log.commit(version)),
  )
  return withRisingTimes(entries)
}

function entryOf(log: DeltaLog, version: number, actions: ActionSet): HistoryEntry {
  const inCommit = actions.commitInfo?.inCommitTimestamp ?? null
  return {
    version,
    timestampMs: inCommit ?? log.listing.commits.get(version)?.modifiedAtMs ?? 0,
    timestampFrom: inCommit === null ? 'file' : 'commit',
    info: actions.commitInfo,
    filesAdded: actions.adds.length,
    filesRemoved: actions.removes.length,
    bytesAdded: actions.adds.reduce((sum, { size }) => sum + size, 0),
    changesSchema: actions.metadata !== null,
    changesProtocol: actions.protocol !== null,
  }
}

/** Files that were copied have times out of order; Delta counts such a version one millisecond after the one before. */
function withRisingTimes(newestFirst: readonly HistoryEntry[]): readonly HistoryEntry[] {
  let last = Number.NEGATIVE_INFINITY
  return newestFirst
    .toReversed()
    .map((entry) => {
      const timestampMs =
        entry.timestampFrom === 'file' ? Math.max(entry.timestampMs, last + 1) : entry.timestampMs
      last = timestampMs
      return { ...entry, timestampMs }
    })
    .toReversed()
}
