import { isDeepStrictEqual } from 'node:util'
import type { PgBoss } from 'pg-boss'
import { z } from 'zod'
import { LakeduelError } from '../../platform/errors.ts'
import { enqueueAfter } from '../queue/enqueue.ts'
import { remove, revive } from '../queue/jobs.ts'
import type { Database, Statements } from './database.ts'
import { detailsOf, type RunDetails } from './details.ts'
import { type Destination, type Run, type RunSpec, type RunStatus, runSpecSchema } from './model.ts'
import { type Notifications, notify, type WaitOptions } from './notifications.ts'
import { type Progress, progressOf, type RoomOptions, waitForRoom } from './progress.ts'
import { newRunId } from './run-id.ts'
import { destinationKey, getRun, runRowSchema } from './run-row.ts'
import { carryOver, type StoredTable, type SyncedTable, storedTable, syncedFrom } from './stored-tables.ts'

export interface BegunRun {
  readonly run: Run
  /** It was begun before, by another process or an earlier command. */
  readonly resumed: boolean
}

const DEFAULT_POLL_MS = 1_000

/** Runs as people see them. What extractors and loaders write of them is in `extraction.ts` and `queue/`. */
export class Runs {
  readonly #database: Database
  readonly #boss: PgBoss
  readonly #notifications: Notifications

  constructor(database: Database, boss: PgBoss, notifications: Notifications) {
    this.#database = database
    this.#boss = boss
    this.#notifications = notifications
  }

  /**
   * Creates a run, or takes up the destination's unfinished one when `resume` is set and it has the same spec; one that
   * failed is revived by that.
   * @throws LakeduelError `RUN_IN_PROGRESS` when another run is in the way
   */
  async begin(spec: RunSpec, { resume }: { readonly resume: boolean }): Promise<BegunRun> {
    const runId = newRunId(spec.destination.table, new Date())
    const text = JSON.stringify(spec)
    // As it comes out of the database, so that the two compare.
    const known = runSpecSchema.parse(JSON.parse(text))
    return this.#database.transaction(async (transaction) => {
      for (;;) {
        const values = [runId, destinationKey(spec.destination), text]
        const [created] = await transaction.rows(runRowSchema, CREATE, values)
        if (created !== undefined) return { run: created, resumed: false }
        const [run] = await transaction.rows(runRowSchema, FIND_UNFINISHED, [values[1]])
        // It was finished between the two statements.
        if (run === undefined) continue
        // Created by this very call, whose answer was lost.
        if (run.runId === runId) return { run, resumed: false }
        if (!resume || !isDeepStrictEqual(run.spec, known)) throw inProgress(run)
        if (run.status === 'failed') await this.#revive(transaction, run.runId)
        else await forgiveLosses(transaction, run.runId)
        return { run: await getRun(transaction, run.runId), resumed: true }
      }
    })
  }

  /** @throws LakeduelError `RUN_NOT_FOUND` */
  async get(runId: string): Promise<Run> {
    return getRun(this.#database, runId)
  }

  /** @throws LakeduelError `RUN_NOT_FOUND` */
  async details(runId: string): Promise<RunDetails> {
    return detailsOf(this.#database, runId)
  }

  /** @throws LakeduelError `RUN_NOT_FOUND` */
  async progress(runId: string): Promise<Progress> {
    return progressOf(this.#database, runId)
  }

  /** What the last run that is done left behind; null when there is none. */
  async storedTable(destination: Destination): Promise<StoredTable | null> {
    return storedTable(this.#database, destination)
  }

  /**
   * Lets the next run into a table go on where the last one into another stopped.
   * @throws LakeduelError `TABLE_NOT_FOUND`, `RUN_IN_PROGRESS`, `CONFIG_INVALID`
   */
  async carryOver(from: Destination, to: Destination): Promise<StoredTable> {
    return carryOver(this.#database, from, to)
  }

  /** Where another table of a source went in the lake and format of a destination; null where it was not synced. */
  async syncedFrom(
    source: Pick<RunSpec['source'], 'name' | 'table'>,
    destination: Destination,
  ): Promise<SyncedTable | null> {
    return syncedFrom(this.#database, source, destination)
  }

  /**
   * Holds an extractor back: waits until what is staged and not loaded is below the limit, or the run isn't active any
   * more. Throws the signal's reason.
   */
  async waitForRoom(runId: string, options: RoomOptions): Promise<Progress> {
    return waitForRoom(this.#database, this.#notifications, runId, options)
  }

  /** Newest first. */
  async list(filter: RunFilter = {}): Promise<readonly Run[]> {
    const { statuses = null, limit = 100 } = filter
    return this.#database.rows(
      runRowSchema,
      `SELECT * FROM runs WHERE $1::text[] IS NULL OR status = ANY ($1)
       ORDER BY created_at DESC, run_id DESC LIMIT $2`,
      [statuses, limit],
    )
  }

  /**
   * Waits until the run is done, failed or cancelled.
   * @throws the signal's reason; LakeduelError `RUN_NOT_FOUND`
   */
  async wait(runId: string, options: Partial<WaitOptions> = {}): Promise<Run> {
    return this.#notifications.until('runs', { pollMs: DEFAULT_POLL_MS, ...options }, async () => {
      const run = await this.get(runId)
      return run.status === 'active' ? null : run
    })
  }

  /**
   * Ends a run. Its batches that were committed stay in the table; its extractor and loaders are refused what they write
   * from now on. Does nothing to a run that was cancelled before.
   * @throws LakeduelError `RUN_NOT_ACTIVE` when the run is done, `RUN_NOT_FOUND`
   */
  async cancel(runId: string): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await transaction.run('DELETE FROM leases WHERE run_id = $1', [runId])
      const { status } = await getRun(transaction, runId, 'FOR NO KEY UPDATE')
      if (status === 'cancelled') return
      if (status === 'done') throw isOver(runId, status, 'There is nothing to cancel.')
      await transaction.run(
        `UPDATE runs SET status = 'cancelled', finished_at = clock_timestamp(), updated_at = clock_timestamp()
         WHERE run_id = $1`,
        [runId],
      )
      await transaction.run('DELETE FROM spool WHERE run_id = $1', [runId])
      const cancelled = await transaction.rows(
        workIdSchema,
        `UPDATE work SET status = 'cancelled', finished_at = clock_timestamp()
         WHERE run_id = $1 AND status IN ('open', 'dead') RETURNING work_id`,
        [runId],
      )
      await remove(
        transaction,
        cancelled.map(({ work_id: id }) => id),
      )
      await enqueueAfter(transaction, this.#boss, runId, [{ kind: 'clean-up' }])
      await notify(transaction, this.#database.schema, 'runs', 'work')
    })
  }

  /**
   * Takes up a failed run where it stopped, and work that follows a run and was given up. Returns how many pieces of work
   * were revived.
   * @throws LakeduelError `RUN_NOT_ACTIVE` when the run was cancelled, `RUN_NOT_FOUND`
   */
  async retry(runId: string): Promise<number> {
    return this.#database.transaction(async (transaction) => {
      const run = await getRun(transaction, runId, 'FOR NO KEY UPDATE')
      if (run.status === 'cancelled') throw isOver(runId, run.status, 'Start a new run.')
      return this.#revive(transaction, runId)
    })
  }

  async #revive(transaction: Statements, runId: string): Promise<number> {
    const revived = await reviveRun(transaction, runId)
    await notify(transaction, this.#database.schema, 'runs', 'work')
    return revived
  }
}

export interface RunFilter {
  /** All when left out. */
  readonly statuses?: readonly RunStatus[]
  readonly limit?: number
}

const CREATE = `
  INSERT INTO runs (run_id, destination, spec) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING *`

const FIND_UNFINISHED = `
  SELECT * FROM runs WHERE destination = $1 AND status IN ('active', 'failed') FOR NO KEY UPDATE`

const workIdSchema = z.object({ work_id: z.string() })

/** Whoever starts a sync again has seen to what killed its workers, or wants to know whether it still does. */
async function forgiveLosses(transaction: Statements, runId: string): Promise<void> {
  await transaction.run(`UPDATE work SET forgiven = losses WHERE run_id = $1 AND status = 'open'`, [runId])
}

/** Makes a failed run active again, and opens all of its work that was given up. */
async function reviveRun(transaction: Statements, runId: string): Promise<number> {
  await transaction.run(
    `UPDATE runs SET status = 'active', failure = NULL, updated_at = clock_timestamp()
     WHERE run_id = $1 AND status = 'failed'`,
    [runId],
  )
  const opened = await transaction.rows(
    workIdSchema,
    `UPDATE work SET status = 'open', attempts = 0, forgiven = losses WHERE run_id = $1 AND status = 'dead' RETURNING work_id`,
    [runId],
  )
  await revive(
    transaction,
    opened.map(({ work_id: id }) => id),
  )
  return opened.length
}

function inProgress({ runId, status, createdAt, spec, failure }: Run): LakeduelError {
  const destination = destinationKey(spec.destination)
  const since = createdAt.toISOString()
  const state =
    status === 'failed' ? `which failed (${failure?.message ?? 'for no known reason'})` : 'which is active'
  return new LakeduelError(
    'RUN_IN_PROGRESS',
    `Table ${destination} has an unfinished run ${runId}, begun ${since}, ${state}.`,
    {
      facts: { runId, status, destination, createdAt: since },
      remedy: `Wait for it, go on with it by the same command, or end it with \`lakeduel runs cancel ${runId}\`.`,
    },
  )
}

function isOver(runId: string, status: RunStatus, remedy: string): LakeduelError {
  return new LakeduelError('RUN_NOT_ACTIVE', `Run ${runId} is ${status}.`, {
    facts: { runId, status },
    remedy,
  })
}
