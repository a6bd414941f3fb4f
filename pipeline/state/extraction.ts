import { randomUUID } from 'node:crypto'
import type { PgBoss } from 'pg-boss'
import { z } from 'zod'
import { faultPoint } from '../faults.ts'
import { enqueueLoad } from '../queue/enqueue.ts'
import type { Cursor, JsonValue } from '../sources/source.ts'
import type { Database, Statements } from './database.ts'
import { holdLease, type Lease, refusal } from './leases.ts'
import type { BatchRecord, PartitionSpec, RunFailure } from './model.ts'
import { notify } from './notifications.ts'
import { jsonText } from './run-row.ts'
import { loadSpool, type SpooledPage, safePages, spoolPage } from './spool.ts'

export interface BatchToStage {
  /** Its parts are uploaded. */
  readonly record: BatchRecord
  /** Reading from here yields what follows the batch. */
  readonly cursor: Cursor
  /** The high-water mark as of this batch; null leaves the run's as it is. */
  readonly mark: JsonValue
  /** How the table is partitioned, from the first batch on. */
  readonly partition: PartitionSpec
  /** The last page whose rows are all in this batch or before; those up to it leave the spool. */
  readonly spooledThroughPage: number
  /** How many pages that is, for the counts. */
  readonly pages: number
}

/**
 * What the extractor of a run writes. Everything is refused with `LEASE_LOST` once another extractor has the run, and with
 * `RUN_NOT_ACTIVE` once it has failed or was cancelled.
 */
export class Extraction {
  readonly #database: Database
  readonly #boss: PgBoss

  constructor(database: Database, boss: PgBoss) {
    this.#database = database
    this.#boss = boss
  }

  /** Keeps a page from being read again when this process dies before the page is in a batch. Writing it twice is once. */
  async spoolPage(lease: Lease, page: SpooledPage): Promise<void> {
    await spoolPage(this.#database, lease, page)
  }

  /** The pages that the extractors before have read and not staged, in order. */
  loadSpool(lease: Lease): AsyncGenerator<SpooledPage> {
    return loadSpool(this.#database, lease.runId)
  }

  /** The last page that is safe, in a batch or in the spool: it rises as long as the run gets any further. */
  async safePages(runId: string): Promise<number> {
    return safePages(this.#database, runId)
  }

  /**
   * Records a batch, queues its message, drops its pages from the spool and moves the cursor: all of it or nothing.
   * Returns its index.
   */
  async stageBatch(lease: Lease, batch: BatchToStage): Promise<number> {
    const workId = randomUUID()
    await faultPoint('after-staging-before-queueing')
    return this.#database.transaction(async (transaction) => {
      await holdLease(transaction, lease)
      const staged = await stagedIndex(transaction, workId)
      if (staged !== null) return staged
      const [run] = await transaction.rows(advancedSchema, ADVANCE, [
        lease.runId,
        jsonText(batch.cursor),
        jsonText(batch.mark),
        JSON.stringify(batch.record.columns),
        JSON.stringify(batch.partition),
        batch.spooledThroughPage,
        batch.pages,
        batch.record.rows,
        batch.record.bytes,
      ])
      if (run === undefined) throw await refusal(transaction, lease)
      const { destination, batch_index: batchIndex } = run
      const message = { kind: 'batch', tag: { runId: lease.runId, batchIndex } } as const
      await enqueueLoad(transaction, this.#boss, { workId, destination, message, record: batch.record })
      await faultPoint('after-queueing-before-cursor')
      await dropSpool(transaction, lease.runId, batch.spooledThroughPage)
      await notify(transaction, this.#database.schema, 'work')
      return batchIndex
    })
  }

  /** Says that the last batch is staged, and queues the message that finishes the run after it. */
  async finish(lease: Lease): Promise<void> {
    const workId = randomUUID()
    await this.#database.transaction(async (transaction) => {
      await holdLease(transaction, lease)
      const [run] = await transaction.rows(
        advancedSchema.extend({ was_extracted: z.boolean() }),
        `UPDATE runs SET extracted = true, updated_at = clock_timestamp()
         FROM runs AS before WHERE runs.run_id = $1 AND runs.status = 'active' AND before.run_id = runs.run_id
         RETURNING runs.destination, runs.next_batch_index AS batch_index, before.extracted AS was_extracted`,
        [lease.runId],
      )
      if (run === undefined) throw await refusal(transaction, lease)
      if (run.was_extracted) return
      const { destination, batch_index: batchIndex } = run
      const message = { kind: 'finish', tag: { runId: lease.runId, batchIndex } } as const
      await enqueueLoad(transaction, this.#boss, { workId, destination, message, record: null })
      await dropSpool(transaction, lease.runId, null)
      await notify(transaction, this.#database.schema, 'work')
    })
  }

  /** Ends the run with a failure of the extraction. What is staged is still loaded; `Runs.retry` takes the run up again. */
  async fail(lease: Lease, failure: RunFailure): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await holdLease(transaction, lease)
      await failRun(transaction, lease.runId, failure)
      await notify(transaction, this.#database.schema, 'runs')
    })
  }
}

const advancedSchema = z.object({ destination: z.string(), batch_index: z.int() })

const ADVANCE = `
  UPDATE runs SET next_batch_index = next_batch_index + 1, resume_cursor = $2, mark = coalesce($3, mark),
    columns = $4, partition = coalesce(partition, $5), spooled_through = $6, pages = pages + $7,
    rows_staged = rows_staged + $8, bytes_staged = bytes_staged + $9, updated_at = clock_timestamp()
  WHERE run_id = $1 AND status = 'active' AND NOT extracted
  RETURNING destination, next_batch_index - 1 AS batch_index`

/** The index of a batch that was staged by this very call, whose answer was lost. */
async function stagedIndex(transaction: Statements, workId: string): Promise<number | null> {
  const [staged] = await transaction.rows(
    z.object({ batch_index: z.int() }),
    'SELECT batch_index FROM work WHERE work_id = $1',
    [workId],
  )
  return staged?.batch_index ?? null
}

/** @param through the last page to drop; null drops all */
async function dropSpool(transaction: Statements, runId: string, through: number | null): Promise<void> {
  await transaction.run('DELETE FROM spool WHERE run_id = $1 AND page_no <= coalesce($2, page_no)', [
    runId,
    through,
  ])
}

/** Marks an active run as failed; the first failure stays. */
export async function failRun(transaction: Statements, runId: string, failure: RunFailure): Promise<void> {
  await transaction.run(
    `UPDATE runs SET status = 'failed', failure = $2, updated_at = clock_timestamp()
     WHERE run_id = $1 AND status = 'active'`,
    [runId, JSON.stringify(failure)],
  )
}
