import { z } from 'zod'
import type { CommitTag } from '../../backends/backend.ts'
import type { Statements } from '../state/database.ts'
import {
  type BatchRecord,
  batchRecordSchema,
  type DeadRow,
  type Run,
  type RunFailure,
  type RunSpec,
} from '../state/model.ts'
import { notify } from '../state/notifications.ts'
import { destinationKey, getRun, jsonText } from '../state/run-row.ts'
import { LOAD_QUEUE } from './boss.ts'
import type { Claim } from './claim.ts'
import { type AfterWork, enqueueAfter } from './enqueue.ts'
import { type Claimed, claimedRow, type QueueContext, WorkQueue } from './work-queue.ts'

interface ClaimedLoad {
  readonly claim: Claim
  /** As of the claim. */
  readonly run: Run
  readonly tag: CommitTag
  /** How often it has failed since it was queued or revived, and with what at last. */
  readonly attempts: number
  /** How often whoever had it died or fell silent, ever. */
  readonly losses: number
  readonly lastFailure: RunFailure | null
}

/** What a loader has to do: apply a batch, or finish the run, all of whose batches are committed. */
export type LoadClaim =
  | (ClaimedLoad & { readonly kind: 'batch'; readonly record: BatchRecord })
  | (ClaimedLoad & { readonly kind: 'finish' })

const loadRowSchema = z.discriminatedUnion('kind', [
  z.object({ ...claimedRow, kind: z.literal('batch'), batch_index: z.int(), record: batchRecordSchema }),
  z.object({ ...claimedRow, kind: z.literal('finish'), batch_index: z.int() }),
])
type LoadRow = z.output<typeof loadRowSchema>

export interface CommitResult {
  readonly rowsCommitted: number
  /** Rows of the batch that no pod could load. */
  readonly deadRows: readonly Omit<DeadRow, 'runId' | 'batchIndex'>[]
}

/**
 * The batches of all tables: those of one table strictly in their order, one at a time, and tables beside each other. A
 * batch that fails or is given up keeps its successors waiting; its run fails with it, until `Runs.retry`.
 */
export class LoadQueue extends WorkQueue<LoadRow, LoadClaim> {
  constructor(context: QueueContext) {
    super(context, LOAD_QUEUE, loadRowSchema)
  }

  /** Marks a batch as committed, after it was. Doing it twice is doing it once. */
  async commitBatch(claim: Claim, { rowsCommitted, deadRows }: CommitResult): Promise<void> {
    const { database } = this.context
    await database.transaction(async (transaction) => {
      if (!(await this.settle(transaction, claim))) return
      await transaction.run(
        `UPDATE runs SET batches_committed = batches_committed + 1, rows_committed = rows_committed + $2,
           bytes_committed = bytes_committed + work.bytes, rows_dead = rows_dead + $3, updated_at = clock_timestamp()
         FROM work WHERE runs.run_id = work.run_id AND work.work_id = $1`,
        [claim.workId, rowsCommitted, deadRows.length],
      )
      for (const row of deadRows) await insertDeadRow(transaction, claim, row)
      await notify(transaction, database.schema, 'work', 'runs')
    })
  }

  /**
   * Ends a run whose batches are all committed: the table's high-water mark moves to the run's, and what follows a run is
   * queued. Doing it twice is doing it once.
   */
  async finishRun(claim: Claim): Promise<void> {
    const { database, boss } = this.context
    await database.transaction(async (transaction) => {
      await transaction.run('DELETE FROM leases WHERE run_id = $1', [claim.runId])
      if (!(await this.settle(transaction, claim))) return
      const run = await getRun(transaction, claim.runId)
      await markDone(transaction, run)
      await enqueueAfter(transaction, boss, run.runId, followersOf(run.spec))
      await notify(transaction, database.schema, 'work', 'runs')
    })
  }

  protected override async workOf({ claim, row }: Claimed<LoadRow>): Promise<LoadClaim> {
    const run = await getRun(this.context.database, claim.runId)
    const tag = { runId: run.runId, batchIndex: row.batch_index }
    const claimed = { claim, run, tag, attempts: row.attempts, losses: row.losses, lastFailure: row.failure }
    return row.kind === 'batch'
      ? { ...claimed, kind: 'batch', record: row.record }
      : { ...claimed, kind: 'finish' }
  }
}

async function insertDeadRow(
  transaction: Statements,
  claim: Claim,
  { key, payloadBytes, reason, partUri }: CommitResult['deadRows'][number],
): Promise<void> {
  await transaction.run(
    `INSERT INTO dead_rows (run_id, batch_index, key, payload_bytes, reason, part_uri)
     SELECT run_id, batch_index, $2, $3, $4, $5 FROM work WHERE work_id = $1`,
    [claim.workId, jsonText(key), payloadBytes, reason, partUri],
  )
}

async function markDone(transaction: Statements, run: Run): Promise<void> {
  await transaction.run(
    `UPDATE runs SET status = 'done', failure = NULL, finished_at = clock_timestamp(), updated_at = clock_timestamp()
     WHERE run_id = $1`,
    [run.runId],
  )
  await transaction.run(
    `INSERT INTO tables (destination, columns, primary_key, partition, mark, run_id) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (destination) DO UPDATE SET columns = excluded.columns, primary_key = excluded.primary_key,
       partition = excluded.partition, mark = coalesce(excluded.mark, tables.mark), run_id = excluded.run_id,
       updated_at = clock_timestamp()`,
    [
      destinationKey(run.spec.destination),
      JSON.stringify(run.columns),
      JSON.stringify(run.spec.primaryKey),
      jsonText(run.partition),
      jsonText(run.mark),
      run.runId,
    ],
  )
}

function followersOf({ compaction, triggers }: RunSpec): readonly AfterWork[] {
  return [
    ...triggers.map((trigger) => ({ kind: 'trigger', trigger }) as const),
    ...(compaction.minFiles === null ? [] : [{ kind: 'compaction' } as const]),
    { kind: 'clean-up' },
  ]
}
