import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Account } from './account.ts'
import { invalidVersion } from './errors.ts'
import { type FaultPlan, outageError } from './faults.ts'
import type { IdempotentRequests } from './idempotency.ts'
import type { Keys } from './keys.ts'
import { parentOf } from './lists.ts'
import type { Nested, Resource } from './resources.ts'
import type { Statistics } from './statistics.ts'
import { JsonOut } from './template.ts'

/** What the routes work with. */
export interface Service {
  readonly account: Account
  readonly keys: Keys
  readonly faults: FaultPlan
  readonly statistics: Statistics
  readonly idempotent: IdempotentRequests
}

type Target = Resource | Nested | 'account'

/** `2026-10-28.endive`, and the plain dates of before there were names. */
const API_VERSION = /^20\d\d-[01]\d-[0-3]\d(\.[a-z]+)?$/

/** Outs that no answer is being sent from. Pages are large: a new buffer for each would keep the garbage collector busy. */
const free: JsonOut[] = []

/**
 * All that surrounds the making of an answer, in the order in which Stripe does it: limits and outages, keys, versions.
 * @param make writes the body
 * @throws StripeApiError
 */
export async function answer(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  target: Target,
  make: (out: JsonOut) => void,
): Promise<FastifyReply> {
  const { statistics, faults } = service
  statistics.countRequest(target)
  const how = faults.next()
  const outage = how === null ? null : outageError(how)
  const { version, body } = await afterLatency(faults.latencyMs, () => {
    if (outage !== null) throw outage
    return { version: admit(service, request, target), body: write(reply, make) }
  })
  if (how?.kind === 'disconnect') return breakOff(reply, how.when === 'before-answer' ? null : body)
  statistics.countAnswer(200, body.length)
  if (version !== undefined) void reply.header('stripe-version', version)
  return reply.headers({ 'content-type': 'application/json', 'request-id': request.id }).send(body)
}

/** The body, in a buffer that is free again when the answer is sent or has failed. */
function write(reply: FastifyReply, make: (out: JsonOut) => void): Buffer {
  const out = free.pop() ?? new JsonOut()
  reply.raw.once('close', () => free.push(out))
  return out.written(make)
}

/** The answer is made while the latency passes, so that the time that it takes does not come on top. */
async function afterLatency<Value>(latencyMs: number, make: () => Value): Promise<Value> {
  if (latencyMs === 0) return make()
  const late = sleep(latencyMs)
  try {
    return make()
  } finally {
    await late
  }
}

/** Returns the version that was asked for. */
function admit({ keys }: Service, request: FastifyRequest, target: Target): string | undefined {
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

/** Closes the connection, after half of the body where there is one. */
function breakOff(reply: FastifyReply, body: Buffer | null): FastifyReply {
  const hijacked = reply.hijack()
  const { raw } = reply
  if (body === null) raw.destroy()
  else {
    raw.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    raw.write(body.subarray(0, Math.ceil(body.length / 2)), () => raw.destroy())
  }
  return hijacked
}
