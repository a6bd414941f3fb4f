import { z } from 'zod'
import type { Database } from './database.ts'
import type { RunCounts, RunStatus } from './model.ts'
import { runStatusSchema } from './model.ts'
import type { Notifications, WaitOptions } from './notifications.ts'
import { countSchema, runNotFound } from './run-row.ts'

/** How far a run is, for a display that looks every second. */
export interface Progress {
  readonly status: RunStatus
  readonly extracted: boolean
  readonly counts: RunCounts
  /** Of the staged parts, compressed as stored, that are in no table yet. */
  readonly stagedUncommittedBytes: number
  /** Batches that a loader has in its hands: 0 or 1. */
  readonly loading: number
}

const DEFAULT_POLL_MS = 500

const progressSchema = z.object({
  status: runStatusSchema,
  extracted: z.boolean(),
  pages: countSchema,
  rows_staged: countSchema,
  bytes_staged: countSchema,
  next_batch_index: z.int(),
  batches_committed: countSchema,
  rows_committed: countSchema,
  bytes_committed: countSchema,
  rows_dead: countSchema,
  loading: countSchema,
})

/** One statement that reads two rows or three. */
export async function progressOf(database: Database, runId: string): Promise<Progress> {
  const [row] = await database.rows(
    progressSchema,
    `SELECT status, extracted, pages, rows_staged, bytes_staged, next_batch_index, batches_committed, rows_committed,
       bytes_committed, rows_dead,
       (SELECT count(*) FROM work WHERE work.run_id = runs.run_id AND work.status = 'open' AND kind = 'batch'
          AND expires_at > clock_timestamp()) AS loading
     FROM runs WHERE run_id = $1`,
    [runId],
  )
  if (row === undefined) throw runNotFound(runId)
  return {
    status: row.status,
    extracted: row.extracted,
    counts: {
      pages: row.pages,
      rowsStaged: row.rows_staged,
      bytesStaged: row.bytes_staged,
      batchesStaged: row.next_batch_index,
      batchesCommitted: row.batches_committed,
      rowsCommitted: row.rows_committed,
      bytesCommitted: row.bytes_committed,
      rowsDead: row.rows_dead,
    },
    stagedUncommittedBytes: row.bytes_staged - row.bytes_committed,
    loading: row.loading,
  }
}

/**
 * Waits until what is staged and not loaded is below the limit, or the run is not active any more, and returns what it is
 * then. Throws the signal's reason.
 */
export async function waitForRoom(
  database: Database,
  notifications: Notifications,
  runId: string,
  { limitBytes, ...options }: RoomOptions,
): Promise<Progress> {
  return notifications.until('runs', { pollMs: DEFAULT_POLL_MS, ...options }, async () => {
    const progress = await progressOf(database, runId)
    return progress.stagedUncommittedBytes < limitBytes || progress.status !== 'active' ? progress : null
  })
}

export interface RoomOptions extends Partial<WaitOptions> {
  readonly limitBytes: number
}
