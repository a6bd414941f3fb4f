import type { Client } from 'pg'
import { z } from 'zod'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { messageOf } from '../../platform/errors.ts'
import { postgresClient } from '../../platform/services/postgres/client.ts'

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

/** Counts the statements of a database, which must be used by this run alone. */
export interface PostgresMeter extends AsyncDisposable {
  /** Counts from now; the function that it resolves to ends the count. */
  start(): Promise<() => Promise<PostgresUsage>>
}

/** `lakeduel_meter` marks this statement, so that it isn't counted itself. */
const TOTALS = `
  SELECT coalesce(sum(calls), 0)::text AS calls, coalesce(sum(wal_bytes), 0)::text AS wal_bytes,
         (SELECT dealloc::text || ' ' || stats_reset::text FROM pg_stat_statements_info) AS lakeduel_meter
  FROM pg_stat_statements
  WHERE toplevel AND query NOT LIKE '%lakeduel_meter%'
    AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`

const totalsSchema = z
  .tuple([z.object({ calls: z.coerce.number(), wal_bytes: z.coerce.number(), lakeduel_meter: z.string() })])
  .transform(([row]) => ({ calls: row.calls, walBytes: row.wal_bytes, epoch: row.lakeduel_meter }))

export async function openPostgresMeter(endpoint: PostgresEndpoint): Promise<PostgresMeter> {
  if (!endpoint.statStatements)
    return unmeasured('pg_stat_statements is not loaded into this Postgres server')
  const client = postgresClient(endpoint)
  // A connection that breaks while idle shows at the next query; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await totals(client)
  } catch (error) {
    await client.end()
    return unmeasured(`pg_stat_statements cannot be read: ${messageOf(error)}`)
  }
  return { start: () => startCount(client), [Symbol.asyncDispose]: () => client.end() }
}

async function startCount(client: Client): Promise<() => Promise<PostgresUsage>> {
  const before = await totals(client)
  return async () => {
    const after = await totals(client)
    if (after.epoch !== before.epoch) {
      const reason = 'pg_stat_statements was reset or dropped entries meanwhile (see pg_stat_statements.max)'
      return { status: 'unavailable', reason }
    }
    return {
      status: 'measured',
      calls: after.calls - before.calls,
      walBytes: after.walBytes - before.walBytes,
    }
  }
}

async function totals(client: Client): Promise<z.infer<typeof totalsSchema>> {
  return totalsSchema.parse((await client.query(TOTALS)).rows)
}

function unmeasured(reason: string): PostgresMeter {
  return {
    start: async () => async () => ({ status: 'unavailable', reason }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
