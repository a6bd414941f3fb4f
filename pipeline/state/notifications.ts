import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { type Statements, sessionSettings } from './database.ts'

/** What may have changed: something to claim, or how far a run is. */
export type Topic = 'work' | 'runs'
const TOPICS: readonly Topic[] = ['work', 'runs']

const RECONNECT_MS = 500

/** Tells all processes that wait for the topics, once the transaction commits. */
export async function notify(transaction: Statements, schema: string, ...topics: Topic[]): Promise<void> {
  await transaction.run('SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic', [
    channel(schema),
    topics,
  ])
}

function channel(schema: string): string {
  return `${schema}_changes`
}

/**
 * Hears of changes over a connection of its own, which is made when someone first waits. A notification only shortens
 * the wait: those that come while there is no connection are lost, so everyone also looks from time to time.
 */
export class Notifications implements AsyncDisposable {
  readonly #endpoint: PostgresEndpoint
  readonly #schema: string
  readonly #heard = new EventEmitter<Record<Topic, []>>()
  readonly #counts: Record<Topic, number> = { work: 0, runs: 0 }
  readonly #closing = new AbortController()
  #listening: Promise<void> | null = null

  constructor(endpoint: PostgresEndpoint, schema: string) {
    this.#endpoint = endpoint
    this.#schema = schema
    this.#heard.setMaxListeners(0)
  }

  /**
   * Looks until `check` finds something: at once, after each notification of the topic, and every `pollMs`.
   * @throws the signal's reason
   */
  async until<T>(topic: Topic, options: WaitOptions, check: () => Promise<T | null>): Promise<T> {
    this.#listening ??= this.#listen()
    for (;;) {
      options.signal?.throwIfAborted()
      const seen = this.#counts[topic]
      const found = await check()
      if (found !== null) return found
      if (this.#counts[topic] === seen) await this.#next(topic, options)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('The state was closed'))
    await this.#listening
  }

  async #next(topic: Topic, { pollMs, signal }: WaitOptions): Promise<void> {
    const waiting = AbortSignal.any([
      AbortSignal.timeout(pollMs),
      this.#closing.signal,
      ...(signal ? [signal] : []),
    ])
    await once(this.#heard, topic, { signal: waiting }).catch(() => undefined)
    this.#closing.signal.throwIfAborted()
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      await this.#listenOnce().catch(() => undefined)
      await sleep(RECONNECT_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Listens until the connection ends. */
  async #listenOnce(): Promise<void> {
    const client = new pg.Client(sessionSettings(this.#endpoint, this.#schema))
    client.on('error', () => undefined)
    client.on('notification', ({ payload }) => this.#hear(TOPICS.filter((topic) => topic === payload)))
    const ended = once(client, 'end', { signal: this.#closing.signal }).catch(() => undefined)
    try {
      await client.connect()
      await client.query(`LISTEN ${client.escapeIdentifier(channel(this.#schema))}`)
      // What happened until now was not heard.
      this.#hear(TOPICS)
      await ended
    } finally {
      await client.end()
    }
  }

  #hear(topics: readonly Topic[]): void {
    for (const topic of topics) {
      this.#counts[topic] += 1
      this.#heard.emit(topic)
    }
  }
}

export interface WaitOptions {
  readonly pollMs: number
  readonly signal?: AbortSignal
}
