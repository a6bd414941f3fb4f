/**
 * A server that speaks Stripe's protocol as far as a sync needs it, so that pages can be read by the million and failures
 * come on time. The official client works against it with `host`, `port` and `protocol`.
 *
 * It serves the lists of `resources.ts` with `limit`, `starting_after`, `ending_before` and the bounds of `created`, the
 * lines below invoices and credit notes, objects by id, the account, and `POST /v1/customers`. Other filters and `expand`
 * are refused as unknown parameters, never ignored. Whatever version a request asks for, objects have the shape of the
 * version that the installed client was made for.
 */
import fastify, { type FastifyInstance } from 'fastify'
import { messageOf } from '../../platform/errors.ts'
import { LOOPBACK } from '../../platform/services/ports.ts'
import { Account } from './account.ts'
import { StripeApiError, unrecognizedUrl } from './errors.ts'
import { FaultPlan } from './faults.ts'
import { IdempotentRequests } from './idempotency.ts'
import { digitsOf } from './ids.ts'
import { Keys } from './keys.ts'
import {
  type FaultsInput,
  parseFaults,
  type StripeServerOptions,
  stripeServerOptionsSchema,
} from './options.ts'
import type { Nested, Resource } from './resources.ts'
import { addRoutes } from './routes.ts'
import { Statistics, type StripeServerStats } from './statistics.ts'

export class StripeServer implements AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  readonly host = LOOPBACK
  readonly port: number
  readonly #app: FastifyInstance
  readonly #account: Account
  readonly #faults: FaultPlan
  readonly #statistics: Statistics

  constructor(
    app: FastifyInstance,
    account: Account,
    faults: FaultPlan,
    statistics: Statistics,
    url: string,
  ) {
    this.#app = app
    this.#account = account
    this.#faults = faults
    this.#statistics = statistics
    this.url = url
    this.port = Number(new URL(url).port)
  }

  get accountId(): string {
    return this.#account.id
  }

  stats(): StripeServerStats {
    return this.#statistics.snapshot()
  }

  resetStats(): void {
    this.#statistics.reset()
  }

  /** Adds objects that are newer than all others: an hour later, or in the very second of the newest one. */
  append(resource: Resource, count: number, when: 'later' | 'same-second' = 'later'): void {
    this.#account.append(resource, count, when)
  }

  /** Makes objects unknown, as if they had been deleted. */
  remove(kind: Resource | Nested, ids: readonly string[]): void {
    this.#account.remove(kind, ids)
  }

  /** The ids of all that is listed, newest first, for tests to compare with. */
  idsOf(resource: Resource): readonly string[] {
    const indexes = Array.from({ length: this.#account.timeline(resource).count }, (_, index) => index)
    return indexes
      .filter((index) => !this.#account.isRemoved(resource, index))
      .map((index) => this.#account.idOf(resource, index))
      .toReversed()
  }

  /** Replaces the faults of before; requests are counted anew. */
  setFaults(faults: FaultsInput): void {
    this.#faults.set(parseFaults(faults))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.close()
  }
}

/** Starts a server on loopback. It keeps no objects: each is computed from the seed and its index when it is asked for. */
export async function startStripeServer(options: StripeServerOptions = {}): Promise<StripeServer> {
  const { keys, faults, port, ...accountOptions } = stripeServerOptionsSchema.parse(options)
  const account = new Account(accountOptions)
  const plan = new FaultPlan(faults)
  const statistics = new Statistics()
  let requests = 0
  const genReqId = () => `req_${digitsOf(accountOptions.seed, `request ${(requests += 1)}`, 6)}`
  const app = fastify({ forceCloseConnections: true, genReqId })
  app.setErrorHandler((error, request, reply) => {
    const answer = error instanceof StripeApiError ? error : failed(error)
    statistics.countAnswer(answer.statusCode, 0)
    return reply
      .code(answer.statusCode)
      .headers({ ...answer.headers, 'request-id': request.id })
      .send(answer.toJSON())
  })
  app.setNotFoundHandler((request) => {
    throw unrecognizedUrl(request.method, request.url.replace(/\?.*$/s, ''))
  })
  const service = { account, keys: new Keys(account.id, keys), faults: plan, statistics }
  addRoutes(app, { ...service, idempotent: new IdempotentRequests() })
  const url = await app.listen({ host: LOOPBACK, port: port ?? 0 })
  return new StripeServer(app, account, plan, statistics, url)
}

/** A bug of this server: shown as what Stripe would answer, with the reason in place of its apology. */
function failed(error: unknown): StripeApiError {
  return new StripeApiError(500, messageOf(error), { type: 'api_error' })
}
