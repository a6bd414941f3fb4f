import { readFile } from 'node:fs/promises'
import { Duplex } from 'node:stream'
import pg from 'pg'
import { z } from 'zod'
import type { PostgresConfig } from './config.ts'

const CONNECT_TIMEOUT_MS = 10_000

/** By these, values have one text form whatever the server, the database or the role are set to. */
const TEXT_FORM: Readonly<Record<string, string>> = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
}

/** A connection to the source that reads and nothing else. Disposing of it drops it, whatever it is doing. */
export class ReadConnection implements AsyncDisposable {
  readonly client: pg.Client
  readonly #ended: Promise<void>
  readonly #signal: AbortSignal | null
  readonly #onAbort = (): void => this.drop()

  private constructor(client: pg.Client, signal: AbortSignal | null) {
    this.client = client
    this.#ended = new Promise((resolve) => client.once('end', resolve))
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort)
  }

  /**
   * @param signal drops the connection; what then waits for an answer fails
   * @throws what `pg` says, which the error table classifies
   */
  static async open(config: PostgresConfig, signal: AbortSignal | null): Promise<ReadConnection> {
    signal?.throwIfAborted()
    const { host, port, user, password, database, sslmode, caFile } = config
    const ca = caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') }
    const client = new pg.Client({
      host,
      port,
      user,
      password,
      database,
      ssl: sslmode === 'disable' ? false : { rejectUnauthorized: sslmode === 'verify-full', ...ca },
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      fallback_application_name: 'lakeduel',
    })
    // A connection that is lost while it is idle must not end the process; the next query reports it.
    client.on('error', () => undefined)
    const connection = new ReadConnection(client, signal)
    try {
      await client.connect()
    } catch (error) {
      connection.#forget()
      throw error
    }
    return connection
  }

  /** The socket, encrypted or not. */
  get stream(): Duplex {
    return withStreamSchema.parse(this.client).connection.stream
  }

  /**
   * Starts a transaction that sees one snapshot. What it sets ends with it, so that a pooler between us and the server
   * hands on a clean connection.
   */
  async begin(config: PostgresConfig): Promise<void> {
    await this.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await this.set(sessionSettings(config))
  }

  /** Sets what the rest of the transaction goes by. */
  async set(settings: Readonly<Record<string, string>>): Promise<void> {
    if (Object.keys(settings).length > 0) await this.client.query(`SELECT ${setConfigs(settings)}`)
  }

  /** Ends it without waiting; the server rolls back what is open. */
  drop(): void {
    this.stream.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget()
    this.drop()
    await this.#ended
  }

  #forget(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

const withStreamSchema = z.object({ connection: z.object({ stream: z.instanceof(Duplex) }) })

/** Expressions of a SELECT that set things for the rest of a transaction. */
export function setConfigs(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(
      ([name, value], at) =>
        `set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true) AS s${at}`,
    )
    .join(', ')
}

/** The settings of a reading transaction, by name. */
export function sessionSettings(config: PostgresConfig): Readonly<Record<string, string>> {
  return {
    ...TEXT_FORM,
    // Between two pages the pipeline may wait for its loaders for as long as it takes.
    idle_in_transaction_session_timeout: '0',
    // Compiling a statement costs more than it saves on rows that are only passed on.
    jit: 'off',
    ...(config.statementTimeoutMs === undefined
      ? {}
      : { statement_timeout: String(config.statementTimeoutMs) }),
  }
}
