import type { PgBoss } from 'pg-boss'
import { z } from 'zod'
import { type Database, NOT_SYNCED, type Statements } from '../state/database.ts'
import { type KeptAlive, keepAlive } from '../state/keep-alive.ts'
import { type RunFailure, runFailureSchema } from '../state/model.ts'
import { type Notifications, notify } from '../state/notifications.ts'
import type { Owner } from '../state/owner.ts'
import type { QueueName } from './boss.ts'
import { type Claim, claimLost, giveUp, HELD, lockRun } from './claim.ts'
import { putBack, remove } from './jobs.ts'
import { sweep } from './sweep.ts'

/** How patient a queue is. */
export interface QueuePolicy {
  /** How long a claim holds without a heartbeat; a sixth of that later at most, the work of a killed worker is claimed anew. */
  readonly claimTtlMs: number
  /** Failures after which work is given up. */
  readonly maxAttempts: number
  /** Workers that may die with the work in their hands before it is taken for the cause, and given up. */
  readonly maxLosses: number
  /** The wait after the first failure; it doubles with each, give or take a quarter. */
  readonly backoffMs: number
}

/** What a queue works with. */
export interface QueueContext {
  readonly database: Database
  readonly boss: PgBoss
  readonly notifications: Notifications
  readonly owner: Owner
  readonly policy: QueuePolicy
}

export type FailureOutcome =
  | { readonly status: 'retried'; readonly delayMs: number }
  | { readonly status: 'dead' }

/** What the row of any work tells, once it is claimed. */
export const claimedRow = {
  run_id: z.string(),
  attempts: z.int(),
  losses: z.int(),
  failure: runFailureSchema.nullable(),
}
type ClaimedRow = z.output<z.ZodObject<typeof claimedRow>>

const failedSchema = z.object({ attempts: z.int(), status: z.string() })
const completedSchema = z.object({ affected: z.int() })

export interface Claimed<Row> {
  readonly claim: Claim
  readonly row: Row
}

/** How often is looked for work without having heard of any: for what is due after a backoff, and what was not heard. */
const POLL_MS = 1_000

/**
 * How work of a queue is claimed, kept, given back, failed and settled. Whatever a claim's holder writes is refused with
 * `LEASE_LOST` once the work was claimed anew, and with `RUN_NOT_ACTIVE` once its run was cancelled; nothing changes then,
 * and the holder drops what it has.
 */
export abstract class WorkQueue<Row extends ClaimedRow, Work> {
  protected readonly context: QueueContext
  readonly #queue: QueueName
  readonly #row: z.ZodType<Row>
  #sweptAtMs = Number.NEGATIVE_INFINITY

  /** @param row columns of `work` that the queue's work has */
  constructor(context: QueueContext, queue: QueueName, row: z.ZodType<Row>) {
    this.context = context
    this.#queue = queue
    this.#row = row
  }

  /** What whoever claimed a row has to do. */
  protected abstract workOf(claimed: Claimed<Row>): Promise<Work>

  /** Null when there is nothing to do now. */
  async claim(): Promise<Work | null> {
    const claimed = await this.#take()
    return claimed && this.workOf(claimed)
  }

  /** Waits until there is something to do. Throws the signal's reason. */
  async next(signal: AbortSignal): Promise<Work> {
    const { notifications } = this.context
    return this.workOf(await notifications.until('work', { pollMs: POLL_MS, signal }, () => this.#take()))
  }

  async #take(): Promise<Claimed<Row> | null> {
    await this.#sweepWhenDue()
    const { database, boss, owner, policy } = this.context
    for (;;) {
      const [job] = await boss.fetch(this.#queue)
      if (job === undefined) return null
      const { id: workId, retryCount: count } = job
      const values = [workId, count, JSON.stringify(owner), policy.claimTtlMs]
      const [row] = await database.rows(this.#row, CLAIM, values)
      const ttlMs = policy.claimTtlMs
      if (row !== undefined) return { row, claim: { workId, runId: row.run_id, count, ttlMs } }
      // Its run was cancelled at this moment.
      await remove(database, [workId])
    }
  }

  /** Says that the worker is alive. */
  async heartbeat(claim: Claim): Promise<void> {
    const { database } = this.context
    const text = `UPDATE work SET expires_at = clock_timestamp() + ttl FROM ${NOT_SYNCED} WHERE ${HELD}`
    const held = await database.run(text, [claim.workId, claim.count])
    if (held === 0) throw await claimLost(database, claim)
  }

  /** Sends heartbeats until it is disposed of; its signal aborts, with the error as reason, when the claim is lost. */
  keepAlive(claim: Claim): KeptAlive {
    return keepAlive(() => this.heartbeat(claim), claim.ttlMs / 4)
  }

  /** Gives the work back at once and without spending an attempt. Does nothing when the claim was lost. */
  async handBack(claim: Claim): Promise<void> {
    const { database } = this.context
    await database.transaction(async (transaction) => {
      const text = `UPDATE work SET expires_at = NULL WHERE ${HELD}`
      if ((await transaction.run(text, [claim.workId, claim.count])) === 0) return
      await putBack(transaction, this.#queue, claim, 0)
      await notify(transaction, database.schema, 'work')
    })
  }

  /** Records a failure: the work is tried again after a while, or given up when it is not retryable or has failed too often. */
  async fail(
    claim: Claim,
    failure: RunFailure,
    { retryable }: { readonly retryable: boolean },
  ): Promise<FailureOutcome> {
    const { database, policy } = this.context
    return database.transaction(async (transaction) => {
      await lockRun(transaction, claim.runId)
      const failed = await this.#recordFailure(transaction, claim, failure, retryable)
      if (failed.status === 'dead') {
        await giveUp(transaction, this.#queue, claim, failure)
        await notify(transaction, database.schema, 'runs')
        return { status: 'dead' }
      }
      const delayMs = policy.backoffMs * 2 ** (failed.attempts - 1) * (0.75 + Math.random() / 2)
      await putBack(transaction, this.#queue, claim, delayMs)
      return { status: 'retried', delayMs }
    })
  }

  /** Marks the work as done and takes its message out of the queue; false when this very claim had done so before. */
  protected async settle(transaction: Statements, claim: Claim): Promise<boolean> {
    const values = [claim.workId, claim.count]
    await lockRun(transaction, claim.runId)
    const text = `UPDATE work SET status = 'done', expires_at = NULL, finished_at = clock_timestamp() WHERE ${HELD}`
    if ((await transaction.run(text, values)) === 0) {
      const done = `SELECT 1 FROM work WHERE work_id = $1 AND claim = $2 AND status = 'done'`
      if ((await transaction.run(done, values)) === 0) throw await claimLost(transaction, claim)
      return false
    }
    const attempt = { id: claim.workId, retryCount: claim.count }
    const options = { db: transaction.boss }
    const response = await this.context.boss.complete(this.#queue, attempt, null, options)
    if (completedSchema.parse(response).affected !== 1) throw await claimLost(transaction, claim)
    return true
  }

  /** Counts a failure, and decides whether it was the last. A claim that has counted it before counts nothing more. */
  async #recordFailure(
    transaction: Statements,
    claim: Claim,
    failure: RunFailure,
    retryable: boolean,
  ): Promise<z.output<typeof failedSchema>> {
    const values = [claim.workId, claim.count]
    const mostAttempts = retryable ? this.context.policy.maxAttempts : 0
    const [failed] = await transaction.rows(
      failedSchema,
      `UPDATE work SET attempts = attempts + 1, failure = $3, failed_claim = $2, expires_at = NULL,
         status = CASE WHEN attempts + 1 >= $4 THEN 'dead' ELSE status END
       WHERE ${HELD} RETURNING attempts, status`,
      [...values, JSON.stringify(failure), mostAttempts],
    )
    if (failed !== undefined) return failed
    const before = 'SELECT attempts, status FROM work WHERE work_id = $1 AND claim = $2 AND failed_claim = $2'
    const [recorded] = await transaction.rows(failedSchema, before, values)
    if (recorded === undefined) throw await claimLost(transaction, claim)
    return recorded
  }

  async #sweepWhenDue(): Promise<void> {
    const { policy } = this.context
    if (performance.now() - this.#sweptAtMs < policy.claimTtlMs / 6) return
    this.#sweptAtMs = performance.now()
    await sweep(this.context, this.#queue)
  }
}

/**
 * The claim must be newer than any before: a worker that stalled after the fetch may come here late. A claim that is lost
 * in a crash of Postgres is made anew by the sweep, as the fetch before it counted.
 */
const CLAIM = `
  UPDATE work SET claim = $2, owner = $3, ttl = $4::float8 * interval '1 ms',
    expires_at = clock_timestamp() + $4::float8 * interval '1 ms' FROM ${NOT_SYNCED}
  WHERE work_id = $1 AND status = 'open' AND coalesce(claim, -1) < $2
  RETURNING run_id, kind, batch_index, record, trigger, attempts, losses, failure`
