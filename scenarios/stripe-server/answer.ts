import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Account } from './account.ts'
import { invalidVersion } from './errors.ts'
import { type FaultPlan, outageError } from './faults.ts'
import type { IdempotentAnswers } from './idempotency.ts'
import type { Keys } from './keys.ts'
import { parentOf } from './lists.ts'
import type { Nested, Resource } from './resources.ts'
import type { Statistics } from './statistics.ts'

/** What the routes work with. */
export interface Service {
  readonly account: Account
  readonly keys: Keys
  readonly faults: FaultPlan
  readonly statistics: Statistics
  readonly idempotent: IdempotentAnswers
}

/** `2026-10-28.endive`, and the plain dates of before there were names. */
const API_VERSION = /^20\d\d-[01]\d-[0-3]\d(\.[a-z]+)?$/

/**
 * All that surrounds the making of an answer, in the order in which Stripe does it: limits and outages, keys, versions.
 * @param make the body as ASCII JSON
 * @throws StripeApiError
 */
export async function answer(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  target: Resource | Nested | 'account',
  make: () => string,
): Promise<FastifyReply> {
  const { statistics, faults } = service
  statistics.countRequest(target)
  const how = faults.next()
  if (faults.latencyMs > 0) await sleep(faults.latencyMs)
  if (how?.kind === 'disconnect' && how.when === 'before-answer') return disconnect(reply)
  const outage = how === null ? null : outageError(how)
  if (outage !== null) throw outage
  const version = admit(service, request, target)
  const body = make()
  if (how !== null) return breakOff(reply, body)
  statistics.countAnswer(200, body.length)
  if (version !== undefined) void reply.header('stripe-version', version)
  return reply.headers({ 'content-type': 'application/json', 'request-id': request.id }).send(body)
}

/** Returns the version that was asked for. */
function admit(
  { keys }: Service,
  request: FastifyRequest,
  target: Resource | Nested | 'account',
): string | undefined {
  const { authorization } = request.headers
  keys.admit(
    authorization,
    header(request, 'stripe-account'),
    target === 'account' ? target : parentOf(target),
  )
  const version = header(request, 'stripe-version')
  if (version !== undefined && !API_VERSION.test(version)) throw invalidVersion(version)
  return version
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

function disconnect(reply: FastifyReply): FastifyReply {
  const hijacked = reply.hijack()
  reply.raw.socket?.destroy()
  return hijacked
}

/** Sends half of the body and closes the connection. */
function breakOff(reply: FastifyReply, body: string): FastifyReply {
  const hijacked = reply.hijack()
  reply.raw.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  reply.raw.write(body.slice(0, Math.ceil(body.length / 2)), () => reply.raw.destroy())
  return hijacked
}
