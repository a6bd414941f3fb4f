import { z } from 'zod'
import type { Database } from './database.ts'
import { type DeadRow, type Run, type RunFailure, runFailureSchema } from './model.ts'
import { ownerSchema, ownerText } from './owner.ts'
import { countSchema, getRun } from './run-row.ts'

/** A piece of work of a run that is not done. */
export interface UnfinishedWork {
  readonly kind: 'batch' | 'finish' | 'compaction' | 'trigger' | 'clean-up'
  readonly batchIndex: number | null
  /** `dead` work was given up, and waits to be revived. */
  readonly status: 'open' | 'dead'
  readonly rows: number
  readonly bytes: number
  /** Failures since it was queued or revived. */
  readonly attempts: number
  /** Workers that died or fell silent with it, ever. */
  readonly losses: number
  readonly failure: RunFailure | null
  /** Who has it, in words; null when it waits. */
  readonly claimedBy: string | null
}

/** A run with all that one looks for when it doesn't come to its end. */
export interface RunDetails {
  readonly run: Run
  /** Who extracts it, in words; null when nobody does. */
  readonly extractedBy: string | null
  /** In the order of the queue; at most `MOST_SHOWN`. */
  readonly unfinished: readonly UnfinishedWork[]
  /** At most `MOST_SHOWN`; `run.counts.rowsDead` counts all. */
  readonly deadRows: readonly DeadRow[]
}

const MOST_SHOWN = 100

/** @throws LakeduelError `RUN_NOT_FOUND` */
export async function detailsOf(database: Database, runId: string): Promise<RunDetails> {
  const run = await getRun(database, runId)
  const [lease] = await database.rows(
    z.object({ owner: ownerSchema }),
    'SELECT owner FROM leases WHERE run_id = $1 AND owner IS NOT NULL AND expires_at > clock_timestamp()',
    [runId],
  )
  return {
    run,
    extractedBy: lease === undefined ? null : ownerText(lease.owner),
    unfinished: await unfinishedWork(database, runId),
    deadRows: await deadRowsOf(database, runId),
  }
}

const unfinishedSchema = z
  .object({
    kind: z.enum(['batch', 'finish', 'compaction', 'trigger', 'clean-up']),
    batch_index: z.int().nullable(),
    status: z.enum(['open', 'dead']),
    rows: countSchema,
    bytes: countSchema,
    attempts: z.int(),
    losses: z.int(),
    failure: runFailureSchema.nullable(),
    holder: ownerSchema.nullable(),
  })
  .transform(
    ({ batch_index: batchIndex, holder, ...work }): UnfinishedWork => ({
      ...work,
      batchIndex,
      claimedBy: holder === null ? null : ownerText(holder),
    }),
  )

async function unfinishedWork(database: Database, runId: string): Promise<readonly UnfinishedWork[]> {
  return database.rows(
    unfinishedSchema,
    `SELECT kind, batch_index, status, rows, bytes, attempts, losses, failure,
       CASE WHEN expires_at > clock_timestamp() THEN owner END AS holder
     FROM work WHERE run_id = $1 AND status IN ('open', 'dead') ORDER BY batch_index, created_at LIMIT $2`,
    [runId, MOST_SHOWN],
  )
}

const deadRowSchema = z
  .object({
    run_id: z.string(),
    batch_index: z.int(),
    key: z.json(),
    payload_bytes: countSchema,
    reason: z.string(),
    part_uri: z.string(),
  })
  .transform(
    (row): DeadRow => ({
      runId: row.run_id,
      batchIndex: row.batch_index,
      key: row.key,
      payloadBytes: row.payload_bytes,
      reason: row.reason,
      partUri: row.part_uri,
    }),
  )

async function deadRowsOf(database: Database, runId: string): Promise<readonly DeadRow[]> {
  return database.rows(
    deadRowSchema,
    'SELECT * FROM dead_rows WHERE run_id = $1 ORDER BY batch_index, found_at LIMIT $2',
    [runId, MOST_SHOWN],
  )
}
