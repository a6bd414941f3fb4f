/**
 * Advisory locks of a session. Postgres gives them in the order in which they were asked for, and takes them back when the
 * session's connection ends, however its process died.
 *
 * A process that is stopped keeps its connection. So a holder says every now and then that it is alive, which shows in
 * Postgres' own list of connections, and those who wait end the connection of one that doesn't.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { Session } from './session.ts'

/** The number of a lock: a table's, or one of a partition. */
export type LockKey = bigint

export interface WantedLock {
  readonly key: LockKey
  /** With others that want it shared, too. */
  readonly shared: boolean
}

export function lockKey(...names: readonly string[]): LockKey {
  return createHash('sha256').update(JSON.stringify(names)).digest().readBigInt64BE()
}

/** Signs of life in the time after which a holder without one is taken to be dead. */
const SIGNS_OF_LIFE = 4

/** Waits for all of the locks. They are taken in an order that all processes have in common, so that none wait in a ring. */
export async function acquireLocks(
  session: Session,
  wanted: readonly WantedLock[],
  { postgres, staleMs }: { readonly postgres: PostgresEndpoint; readonly staleMs: number },
): Promise<void> {
  const ordered = wanted.toSorted((left, right) => (left.key < right.key ? -1 : 1))
  const keys = ordered.map(({ key }) => key)
  // The session itself says nothing more until it has the locks.
  const watch = setInterval(() => void evictFromElsewhere(postgres, keys, staleMs), staleMs)
  try {
    await session.rows(
      z.unknown(),
      `SELECT CASE WHEN shared THEN pg_advisory_lock_shared(key) ELSE pg_advisory_lock(key) END
       FROM unnest($1::bigint[], $2::bool[]) AS wanted (key, shared)`,
      [keys, ordered.map(({ shared }) => shared)],
    )
  } finally {
    clearInterval(watch)
  }
}

/** Works while the session holds what it was given, and gives all of it back. */
export async function whileHolding<T>(session: Session, staleMs: number, work: () => Promise<T>): Promise<T> {
  const signs = setInterval(() => void signOfLife(session), staleMs / SIGNS_OF_LIFE)
  try {
    return await work()
  } finally {
    clearInterval(signs)
    await releaseLocks(session)
  }
}

async function releaseLocks(session: Session): Promise<void> {
  try {
    if (!session.lost.aborted) await session.rows(z.unknown(), 'SELECT pg_advisory_unlock_all()')
  } catch (error) {
    // A session that was lost holds nothing any more.
    if (!session.lost.aborted) throw error
  }
}

async function signOfLife(session: Session): Promise<void> {
  if (!session.lost.aborted) await session.rows(z.unknown(), 'SELECT 1').catch(() => undefined)
}

/**
 * Ends all connections of the processes that hold one of the locks and have given no sign of life for so long: they may
 * hold rows of a catalog, too. Whoever it was finds its batches committed, or a conflict.
 */
export async function evictStaleHolders(
  session: Session,
  keys: readonly LockKey[],
  staleMs: number,
): Promise<void> {
  await session.rows(
    z.unknown(),
    `WITH stale AS (
       SELECT DISTINCT holder.application_name
       FROM pg_locks AS held JOIN pg_stat_activity AS holder ON holder.pid = held.pid
       WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
         AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND (held.classid::bigint << 32) | held.objid::bigint = ANY($1::bigint[])
         AND holder.state_change < clock_timestamp() - $2::float8 * interval '1 ms'
     )
     SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN stale USING (application_name)
     WHERE pid <> pg_backend_pid()`,
    [keys, staleMs],
  )
}

async function evictFromElsewhere(
  postgres: PostgresEndpoint,
  keys: readonly LockKey[],
  staleMs: number,
): Promise<void> {
  try {
    await using session = await Session.open(postgres)
    await evictStaleHolders(session, keys, staleMs)
  } catch {
    // Whoever waits learns by itself that Postgres is away, and asks again.
  }
}
