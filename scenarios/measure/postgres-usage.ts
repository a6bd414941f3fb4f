import type { Client } from 'pg'
import { z } from 'zod'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { messageOf } from '../../platform/errors.ts'
import { postgresClient } from '../../platform/services/postgres/client.ts'
import { OWN_SERVER_SETTING } from '../../platform/services/postgres/settings.ts'

/** Maps one to one to the `postgres` of a phase in the results. */
export type PostgresUsage =
  | {
      readonly status: 'measured'
      /** Statements that clients sent to the database, BEGIN and COMMIT among them. */
      readonly calls: number
      /** Of those statements; without the commit records themselves (some 40 bytes each) and without autovacuum's. */
      readonly walBytes: number
    }
  | { readonly status: 'unavailable'; readonly reason: string }

/**
 * Counts the statements of a database. Nothing tells the statements of two runs apart, so there is no count for a phase
 * in which another meter is open on the same database.
 */
export interface PostgresMeter extends AsyncDisposable {
  /** Counts from now; the function that it resolves to ends the count. */
  start(): Promise<() => Promise<PostgresUsage>>
  /** Lets another run count while `work` goes on, as if this one weren't there. */
  aside<Result>(work: () => Promise<Result>): Promise<Result>
}

/** The advisory lock that each open meter holds in shared mode: the bytes of "lake" and of "duel". */
const METER_LOCK = [0x6c616b65, 0x6475656c] as const

/** `lakeduel_meter` marks our own statements, so that they aren't counted themselves. */
const TOTALS = `
  SELECT coalesce(sum(calls), 0)::text AS calls, coalesce(sum(wal_bytes), 0)::text AS wal_bytes, NULL AS lakeduel_meter
  FROM pg_stat_statements
  WHERE toplevel AND query NOT LIKE '%lakeduel_meter%'
    AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`

const STATE = `
  SELECT dealloc::text || ' ' || stats_reset::text AS epoch, NULL AS lakeduel_meter,
         coalesce(current_setting('${OWN_SERVER_SETTING}', true), '') = 'on' AS own,
         (SELECT count(*)::int FROM pg_locks
          WHERE locktype = 'advisory' AND classid = ${METER_LOCK[0]} AND objid = ${METER_LOCK[1]} AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS meters
  FROM pg_stat_statements_info`

const TAKE_LOCK = `SELECT pg_advisory_lock_shared(${METER_LOCK.join(', ')}) AS lakeduel_meter`

const RELEASE_LOCK = TAKE_LOCK.replace('lock_shared', 'unlock_shared')

/**
 * Forgets the statements of this database. Each table of a run has a schema of its own, and so statements of its own: after some
 * hundred cells there were 48,000 of them, and reading them took 0.16 s each of the four times that a phase does.
 */
const FORGET = `
  SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0),
         NULL AS lakeduel_meter`

const totalsSchema = z
  .tuple([z.object({ calls: z.coerce.number(), wal_bytes: z.coerce.number() })])
  .transform(([row]) => ({ calls: row.calls, walBytes: row.wal_bytes }))
const stateSchema = z
  .tuple([z.object({ epoch: z.string(), meters: z.number(), own: z.boolean() })])
  .transform(([row]) => row)

export async function openPostgresMeter(endpoint: PostgresEndpoint): Promise<PostgresMeter> {
  if (!endpoint.statStatements)
    return unmeasured('pg_stat_statements is not loaded into this Postgres server')
  const client = postgresClient(endpoint)
  // A connection that breaks while idle shows at the next query; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(TAKE_LOCK)
    await totals(client)
  } catch (error) {
    await client.end()
    return unmeasured(`pg_stat_statements cannot be read: ${messageOf(error)}`)
  }
  return {
    start: () => startCount(client),
    aside: async (work) => {
      await client.query(RELEASE_LOCK)
      const result = await work()
      await client.query(TAKE_LOCK)
      return result
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

/**
 * The state is read before the first totals and after the last. Read beside them it misses entries that are dropped in
 * between: the first totals then hold more than the last ones, and the difference is negative.
 */
async function startCount(client: Client): Promise<() => Promise<PostgresUsage>> {
  const stateBefore = await state(client)
  if (stateBefore.own && stateBefore.meters === 1) await client.query(FORGET)
  const before = await totals(client)
  return async () => {
    const after = await totals(client)
    const stateAfter = await state(client)
    const reason = reasonAgainst(stateBefore, stateAfter)
    if (reason !== null) return { status: 'unavailable', reason }
    if (after.calls < before.calls) return { status: 'unavailable', reason: RESET }
    return {
      status: 'measured',
      calls: after.calls - before.calls,
      walBytes: after.walBytes - before.walBytes,
    }
  }
}

const RESET = 'pg_stat_statements was reset or dropped entries meanwhile (see pg_stat_statements.max)'

type MeterState = z.infer<typeof stateSchema>

function reasonAgainst(before: MeterState, after: MeterState): string | null {
  if (before.epoch !== after.epoch) return RESET
  if (Math.max(before.meters, after.meters) > 1)
    return 'another run uses the same Postgres database, and their statements cannot be told apart'
  return null
}

async function totals(client: Client): Promise<z.infer<typeof totalsSchema>> {
  return totalsSchema.parse((await client.query(TOTALS)).rows)
}

async function state(client: Client): Promise<MeterState> {
  return stateSchema.parse((await client.query(STATE)).rows)
}

function unmeasured(reason: string): PostgresMeter {
  return {
    start: async () => async () => ({ status: 'unavailable', reason }),
    aside: (work) => work(),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
