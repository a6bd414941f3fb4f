import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { LakeduelError } from '../../platform/errors.ts'
import { type Database, NOT_SYNCED, type Statements } from './database.ts'
import { type KeptAlive, keepAlive } from './keep-alive.ts'
import type { Run } from './model.ts'
import { type Notifications, notify } from './notifications.ts'
import { isGone, type Owner, ownerSchema, ownerText } from './owner.ts'
import { countSchema, runNotFound, runRowSchema } from './run-row.ts'

/** The right to extract a run. Plain data, so that it can be handed to another module or process. */
export interface Lease {
  readonly runId: string
  /** Rises with every owner; what is written with a lower one is refused. */
  readonly token: number
  readonly ttlMs: number
}

export interface AcquiredLease {
  readonly status: 'acquired'
  readonly lease: Lease
  /** As the owners before left it. */
  readonly run: Run
}

export interface HeldLease {
  readonly status: 'held'
  /** Null when it was given back at this moment. */
  readonly owner: Owner | null
  readonly token: number
  readonly expiresInMs: number
}

/** How often a process that waits looks: for leases that end, which nobody tells of. */
const POLL_MS = 1_000

export interface LeaseOptions {
  readonly ttlMs: number
}

/**
 * The lease of each run's one extractor. When it ends is decided by the database's clock alone; one that ends further in
 * the future than it can comes from before the clock was set back, and has ended, too.
 */
export class Leases {
  readonly #database: Database
  readonly #owner: Owner
  readonly #ttlMs: number
  readonly #notifications: Notifications

  constructor(database: Database, notifications: Notifications, owner: Owner, { ttlMs }: LeaseOptions) {
    this.#database = database
    this.#notifications = notifications
    this.#owner = owner
    this.#ttlMs = ttlMs
  }

  /**
   * Takes the lease when it is free, has ended, or belongs to a process of this machine that has.
   * @throws LakeduelError `RUN_NOT_FOUND`
   */
  async acquire(runId: string): Promise<AcquiredLease | HeldLease> {
    const nonce = randomUUID()
    const tried = await this.#take(runId, nonce, null)
    if (tried.status === 'acquired' || tried.owner === null || !(await isGone(tried.owner))) return tried
    return this.#take(runId, nonce, tried.token)
  }

  /**
   * Waits until the lease is free, and takes it. Throws the signal's reason.
   * @param onHeld is told once for each owner that stands in the way
   */
  async acquireWhenFree(
    runId: string,
    { signal, onHeld }: { readonly signal: AbortSignal; readonly onHeld?: (held: HeldLease) => void },
  ): Promise<AcquiredLease> {
    let told = 0
    return this.#notifications.until('runs', { pollMs: POLL_MS, signal }, async () => {
      const tried = await this.acquire(runId)
      if (tried.status === 'acquired') return tried
      if (tried.token !== told) onHeld?.(tried)
      told = tried.token
      return null
    })
  }

  /** Renews the lease until it is disposed of; its signal aborts, with the error as reason, when it is lost. */
  keepAlive(lease: Lease): KeptAlive {
    return keepAlive(() => this.renew(lease), lease.ttlMs / 6)
  }

  /** @throws LakeduelError `LEASE_LOST`, `RUN_NOT_ACTIVE` */
  async renew(lease: Lease): Promise<void> {
    const [row] = await this.#database.rows(
      z.object({ status: z.string() }),
      `UPDATE leases SET expires_at = clock_timestamp() + ttl FROM runs, ${NOT_SYNCED}
       WHERE leases.run_id = $1 AND token = $2 AND runs.run_id = leases.run_id RETURNING runs.status`,
      [lease.runId, lease.token],
    )
    if (row?.status !== 'active') throw await refusal(this.#database, lease)
  }

  /** Lets the next extractor start at once. Does nothing when the lease was lost. */
  async release(lease: Lease): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await transaction.run(
        'UPDATE leases SET owner = NULL, expires_at = clock_timestamp() WHERE run_id = $1 AND token = $2',
        [lease.runId, lease.token],
      )
      await notify(transaction, this.#database.schema, 'runs')
    })
  }

  /** @param endedToken the token of an owner that has ended, whose lease is taken although it runs on */
  async #take(runId: string, nonce: string, endedToken: number | null): Promise<AcquiredLease | HeldLease> {
    return this.#database.transaction(async (transaction) => {
      const [taken] = await transaction.rows(z.object({ token: countSchema }), TAKE, [
        runId,
        nonce,
        JSON.stringify(this.#owner),
        this.#ttlMs,
        endedToken,
      ])
      // Read after the lease was taken, so that it holds all that the owner before could write.
      const [run] = await transaction.rows(runRowSchema, 'SELECT * FROM runs WHERE run_id = $1', [runId])
      if (run === undefined) throw runNotFound(runId)
      if (taken === undefined) return holderOf(transaction, runId)
      return { status: 'acquired', lease: { runId, token: taken.token, ttlMs: this.#ttlMs }, run }
    })
  }
}

const TAKE = `
  INSERT INTO leases (run_id, token, nonce, owner, ttl, expires_at)
  SELECT run_id, 1, $2, $3, $4::float8 * interval '1 ms', clock_timestamp() + $4::float8 * interval '1 ms'
  FROM runs WHERE run_id = $1
  ON CONFLICT (run_id) DO UPDATE SET token = leases.token + 1, nonce = excluded.nonce, owner = excluded.owner,
    ttl = excluded.ttl, expires_at = excluded.expires_at
  WHERE leases.owner IS NULL OR leases.nonce = excluded.nonce OR leases.token = $5
    OR leases.expires_at NOT BETWEEN clock_timestamp() AND clock_timestamp() + leases.ttl
  RETURNING token`

const heldSchema = z.object({ owner: ownerSchema.nullable(), token: countSchema, expires_in_ms: z.number() })

async function holderOf(statements: Statements, runId: string): Promise<HeldLease> {
  const [held] = await statements.rows(
    heldSchema,
    `SELECT owner, token, extract(epoch FROM expires_at - clock_timestamp())::float8 * 1000 AS expires_in_ms
     FROM leases WHERE run_id = $1`,
    [runId],
  )
  const { owner = null, token = 0, expires_in_ms: expiresInMs = 0 } = held ?? {}
  return { status: 'held', owner, token, expiresInMs: Math.max(0, expiresInMs) }
}

/** Keeps the lease from passing on until the transaction ends. */
export async function holdLease(transaction: Statements, lease: Lease): Promise<void> {
  const held = await transaction.run('SELECT 1 FROM leases WHERE run_id = $1 AND token = $2 FOR SHARE', [
    lease.runId,
    lease.token,
  ])
  if (held === 0) throw await refusal(transaction, lease)
}

/** Why what a lease's holder wanted to write is refused. */
export async function refusal(statements: Statements, { runId, token }: Lease): Promise<LakeduelError> {
  const [run] = await statements.rows(runRowSchema, 'SELECT * FROM runs WHERE run_id = $1', [runId])
  if (run === undefined) return runNotFound(runId)
  if (run.status !== 'active') return runNotActive(run)
  if (run.extracted) return alreadyExtracted(runId)
  const held = await holderOf(statements, runId)
  const owner = held.owner !== null ? ownerText(held.owner) : 'another process'
  return new LakeduelError('LEASE_LOST', `Run ${runId} is extracted by ${owner} now.`, {
    facts: { runId, token },
    remedy: 'Stop: what was not staged yet is read again by the other process.',
  })
}

function alreadyExtracted(runId: string): LakeduelError {
  return new LakeduelError('RUN_NOT_ACTIVE', `The last batch of run ${runId} is staged already.`, {
    facts: { runId },
    remedy: 'Wait until it is loaded.',
  })
}

function runNotActive({ runId, status, failure }: Run): LakeduelError {
  const reason = failure === null ? '' : `: ${failure.message}`
  return new LakeduelError('RUN_NOT_ACTIVE', `Run ${runId} is ${status}${reason}`, {
    facts: { runId, status, failure },
    remedy:
      status === 'failed'
        ? `Correct the cause, and revive the run with \`lakeduel runs retry ${runId}\`.`
        : 'Start a new run.',
  })
}
