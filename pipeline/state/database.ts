import pRetry from 'p-retry'
import pg from 'pg'
import type { Db } from 'pg-boss'
import type { z } from 'zod'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { connectError, connectionSettings } from '../../platform/services/postgres/client.ts'
import { isTransient } from './transient.ts'

/** 13 to 26 s in all: a Postgres that is restarted is back by then. */
const RETRIES = { retries: 12, minTimeout: 25, factor: 2, maxTimeout: 2_000, randomize: true }

/**
 * A process that is stopped in the middle of a transaction keeps its locks, and would hold up whoever takes its work
 * over. Postgres then ends its connection, and with it the transaction.
 */
const IDLE_IN_TRANSACTION_MS = 10_000

/**
 * For the FROM of a statement that stands alone and needn't wait for the disk: a crash of Postgres may undo it, together
 * with whatever came after it.
 */
export const NOT_SYNCED = `(SELECT set_config('synchronous_commit', 'off', true)) AS not_synced`

/** Where statements are run: on any connection of the pool, or on that of a transaction. */
export interface Statements {
  /** Rows as the schema parses them. */
  rows<Row extends z.ZodType>(
    row: Row,
    text: string,
    values?: readonly unknown[],
  ): Promise<readonly z.output<Row>[]>
  /** Returns the rows that were inserted, changed or deleted. */
  run(text: string, values?: readonly unknown[]): Promise<number>
  /** The same connection, as pg-boss takes one. */
  readonly boss: Db
}

export interface DatabaseOptions {
  /** Where the tables lie. */
  readonly schema: string
  /** The schema of pg-boss, which lies beside it. */
  readonly queueSchema: string
  readonly connections: number
}

/**
 * The Postgres of the state. Tables are named without their schemas, which are in the search path.
 *
 * A statement or transaction that fails because a connection broke is run again as a whole, also when the connection
 * broke during the commit, where nobody knows whether it took place: so each of them is written to change nothing the
 * second time.
 */
export class Database implements Statements, AsyncDisposable {
  readonly endpoint: PostgresEndpoint
  readonly schema: string
  readonly boss: Db
  readonly #pool: pg.Pool
  readonly #closing = new AbortController()

  constructor(endpoint: PostgresEndpoint, { schema, queueSchema, connections }: DatabaseOptions) {
    this.endpoint = endpoint
    this.schema = schema
    this.#pool = new pg.Pool({ ...sessionSettings(endpoint, schema, queueSchema), max: connections })
    // Without a listener, a connection that breaks while nobody uses it would end the process; the next statement tells.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
    this.boss = { executeSql: (text, values) => this.#retried(() => asBoss(this.#pool, text, values)) }
  }

  async rows<Row extends z.ZodType>(row: Row, text: string, values: readonly unknown[] = []) {
    const { rows } = await this.#retried(() => this.#pool.query(text, [...values]))
    return row.array().parse(rows)
  }

  async run(text: string, values: readonly unknown[] = []): Promise<number> {
    const { rowCount } = await this.#retried(() => this.#pool.query(text, [...values]))
    return rowCount ?? 0
  }

  /** As `run`, with the statement planned once for each connection: for what is run thousands of times. */
  async runPrepared(name: string, text: string, values: readonly unknown[]): Promise<number> {
    const { rowCount } = await this.#retried(() => this.#pool.query({ name, text, values: [...values] }))
    return rowCount ?? 0
  }

  /** Commits what `work` did, or nothing of it. It may be called several times, so it must leave no other traces. */
  async transaction<T>(work: (transaction: Statements) => Promise<T>): Promise<T> {
    return this.#retried(async () => {
      const client = await this.#pool.connect()
      let usable = false
      try {
        await client.query('BEGIN')
        const result = await work(statementsOf(client))
        const { command } = await client.query('COMMIT')
        // Postgres answers a COMMIT with ROLLBACK when a statement before it had failed.
        if (command !== 'COMMIT') throw new Error('A statement of the transaction failed unnoticed')
        usable = true
        return result
      } catch (error) {
        usable = await client.query('ROLLBACK').then(
          () => true,
          () => false,
        )
        throw error
      } finally {
        client.release(!usable)
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('The state was closed'))
    await this.#pool.end()
  }

  async #retried<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await pRetry(action, {
        ...RETRIES,
        signal: this.#closing.signal,
        shouldRetry: ({ error }) => isTransient(error),
      })
    } catch (error) {
      if (error instanceof LakeduelError || !isTransient(error)) throw error
      throw connectError(error, this.endpoint)
    }
  }
}

/** What every connection is opened with. In Postgres' list of connections, it shows whose they are. */
export function sessionSettings(
  endpoint: PostgresEndpoint,
  ...[schema, ...others]: readonly [schema: string, ...others: string[]]
): pg.ClientConfig {
  return {
    ...connectionSettings(endpoint),
    application_name: `lakeduel ${schema}`,
    keepAlive: true,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    options: `-c search_path=${[schema, ...others].join(',')}`,
  }
}

export function statementsOf(client: pg.ClientBase): Statements {
  return {
    async rows(row, text, values = []) {
      const { rows } = await client.query(text, [...values])
      return row.array().parse(rows)
    },
    async run(text, values = []) {
      const { rowCount } = await client.query(text, [...values])
      return rowCount ?? 0
    },
    boss: { executeSql: (text, values) => asBoss(client, text, values) },
  }
}

/** A text of several statements gives a result for each, of which pg-boss wants all rows in one list. */
async function asBoss(
  client: Pick<pg.ClientBase, 'query'>,
  text: string,
  values: unknown[] = [],
): ReturnType<Db['executeSql']> {
  const results = [await client.query(text, values)].flat()
  return { rows: results.flatMap(({ rows }) => rows) }
}
