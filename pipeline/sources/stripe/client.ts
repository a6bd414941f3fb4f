/**
 * Requests to Stripe through its official client, with three things done here that the client does not do:
 * - a 429 is tried again, after the time that `Retry-After` names (the client retries neither 429 nor looks at that header);
 * - an abort ends a request and a wait at once (the client knows no signals);
 * - an answer stays the JSON that it is: `rawRequest` leaves decimals as text, where the client's resources would make them
 *   objects that no table can store.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { Stripe } from 'stripe'
import { z } from 'zod'
import type { StripeConfig } from './config.ts'
import { type AnswerBytes, stripeHttp } from './http.ts'
import { retryAfterMs } from './retry-after.ts'

const FIRST_WAIT_MS = 500
/** The longest wait between two tries; when Stripe asks for more, the sync waits and not the read. */
const LONGEST_WAIT_MS = 10_000
const TOO_MANY_REQUESTS = 429
const CONFLICT = 409
const SERVER_ERROR = 500

export type Query = Readonly<Record<string, string | number>>

export interface Answer {
  /** Parsed JSON. */
  readonly body: unknown
  /** What it was parsed from. */
  readonly json: Uint8Array
}

const objectSchema = z.custom<object>((body) => typeof body === 'object' && body !== null)

/** One connection to Stripe, for one read. It ends with the signal. */
export class StripeApi implements Disposable {
  readonly #config: StripeConfig
  readonly #signal: AbortSignal
  readonly #agent: HttpAgent
  readonly #client: Stripe
  readonly #answers: AnswerBytes = new WeakMap()
  readonly #end: () => void

  constructor(config: StripeConfig, signal: AbortSignal) {
    const baseUrl = config.baseUrl === undefined ? null : new URL(config.baseUrl)
    const isPlain = baseUrl?.protocol === 'http:'
    this.#config = config
    this.#signal = signal
    this.#agent = isPlain ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true })
    this.#client = new Stripe(config.apiKey, {
      ...(baseUrl === null
        ? {}
        : {
            host: baseUrl.hostname,
            port: baseUrl.port || (isPlain ? '80' : '443'),
            protocol: isPlain ? 'http' : 'https',
          }),
      ...(config.account === null ? {} : { stripeAccount: config.account }),
      httpClient: stripeHttp(Stripe.createNodeHttpClient(this.#agent), this.#answers, signal),
      maxNetworkRetries: 0,
      timeout: config.timeoutMs,
      appInfo: { name: 'lakeduel' },
    })
    this.#end = () => this.#agent.destroy()
    signal.addEventListener('abort', this.#end)
  }

  /**
   * GET of a path, with retries.
   * @throws what the client throws, and the signal's reason
   */
  async get(path: string, query: Query = {}): Promise<Answer> {
    const texts = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])
    const url = texts.length === 0 ? path : `${path}?${new URLSearchParams(texts).toString()}`
    for (let tries = 1; ; tries += 1) {
      this.#signal.throwIfAborted()
      try {
        return await this.#request(url)
      } catch (error) {
        this.#signal.throwIfAborted()
        const waitMs = tries > this.#config.maxNetworkRetries ? null : waitBefore(error, tries)
        if (waitMs === null) throw withCause(error)
        await sleep(waitMs, undefined, { signal: this.#signal }).catch(() => this.#signal.throwIfAborted())
      }
    }
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#end)
    this.#end()
  }

  async #request(url: string): Promise<Answer> {
    const { apiVersion } = this.#config
    const body = objectSchema.parse(
      await this.#client.rawRequest('GET', url, undefined, apiVersion === null ? {} : { apiVersion }),
    )
    const json = this.#answers.get(body)
    if (json === undefined) throw new TypeError('an answer of Stripe without a body')
    return { body, json }
  }
}

/** How long to wait before the next try, or null when none is due. The first try is 1. */
function waitBefore(error: unknown, tries: number): number | null {
  if (!isWorthAnotherTry(error)) return null
  const asked = retryAfterMs(error)
  if (asked !== null) return asked <= LONGEST_WAIT_MS ? asked : null
  const ceiling = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS)
  return ceiling * (0.5 + Math.random() / 2)
}

function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof Stripe.errors.StripeConnectionError) return true
  if (!(error instanceof Stripe.errors.StripeError)) return false
  const advice = error.headers?.['stripe-should-retry']
  if (advice === 'true' || advice === 'false') return advice === 'true'
  const { statusCode } = error
  return statusCode === TOO_MANY_REQUESTS || statusCode === CONFLICT || (statusCode ?? 0) >= SERVER_ERROR
}

/** The client keeps what went wrong with a connection as `detail`; as a cause it is seen by whoever looks for one. */
function withCause(error: unknown): unknown {
  if (error instanceof Stripe.errors.StripeConnectionError && error.cause === undefined)
    error.cause = error.detail
  return error
}
