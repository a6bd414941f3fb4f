import { EventEmitter } from 'node:events'
import pg from 'pg'
import type { z } from 'zod'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { connectError, connectionSettings } from '../../platform/services/postgres/client.ts'
import { PROCESS_NAME } from '../../platform/services/postgres/process-name.ts'
import { isTransient } from '../state/transient.ts'

/** Of notifications, by the channel. */
type Heard = Record<string, [payload: string]>

/** One connection to Postgres, which locks and requests live and die with. */
export class Session implements AsyncDisposable {
  readonly #endpoint: PostgresEndpoint
  readonly #client: pg.Client
  readonly #lost = new AbortController()
  readonly heard = new EventEmitter<Heard>()
  /** Resolves when all that was asked before is answered: a connection does one thing at a time. */
  #idle: Promise<unknown> = Promise.resolve()

  private constructor(endpoint: PostgresEndpoint, client: pg.Client) {
    this.#endpoint = endpoint
    this.#client = client
    const lose = () => this.#lost.abort()
    client.on('error', lose)
    client.on('end', lose)
    client.on('notification', ({ channel, payload }) => this.heard.emit(channel, payload ?? ''))
  }

  /** @throws LakeduelError `POSTGRES_UNREACHABLE`, `POSTGRES_CREDENTIALS`, `CONFIG_INVALID` */
  static async open(endpoint: PostgresEndpoint): Promise<Session> {
    const application = { application_name: PROCESS_NAME, keepAlive: true }
    const session = new Session(endpoint, new pg.Client({ ...connectionSettings(endpoint), ...application }))
    await session.#client.connect().catch((error: unknown) => {
      throw connectError(error, endpoint)
    })
    return session
  }

  /** Aborted when the connection has ended, and with it all that was held. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** @throws LakeduelError `POSTGRES_UNREACHABLE` when the connection broke; what was asked may have been done */
  async rows<Row extends z.ZodType>(
    row: Row,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly z.output<Row>[]> {
    const answered = this.#idle.then(() => this.#client.query(text, [...values]))
    this.#idle = answered.catch(() => undefined)
    try {
      const { rows } = await answered
      return row.array().parse(rows)
    } catch (error) {
      if (this.#lost.signal.aborted || isTransient(error)) {
        this.#lost.abort()
        throw connectError(error, this.#endpoint)
      }
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }
}

/** The session of a coordinator: made when it is first needed, and anew when it was lost. */
export class LastingSession implements AsyncDisposable {
  readonly #open: () => Promise<Session>
  #session: Session | null = null

  constructor(open: () => Promise<Session>) {
    this.#open = open
  }

  async get(): Promise<Session> {
    if (this.#session === null || this.#session.lost.aborted) {
      await this[Symbol.asyncDispose]()
      this.#session = await this.#open()
    }
    return this.#session
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.[Symbol.asyncDispose]()
    this.#session = null
  }
}
