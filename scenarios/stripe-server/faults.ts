import { rateLimited, type StripeApiError, serverError } from './errors.ts'
import type { Faults, Outage } from './options.ts'

/** Which requests fail, and how. */
export class FaultPlan {
  #faults: Faults
  #requests = 0

  constructor(faults: Faults) {
    this.#faults = faults
  }

  /** Replaces the faults; requests are counted anew. */
  set(faults: Faults): void {
    this.#faults = faults
    this.#requests = 0
  }

  get latencyMs(): number {
    return this.#faults.latencyMs
  }

  /** Counts a request and tells how it is to fail, or null. */
  next(): Outage['how'] | null {
    this.#requests += 1
    return this.#faults.outages.find((outage) => strikes(outage, this.#requests))?.how ?? null
  }
}

function strikes(outage: Outage, request: number): boolean {
  const place = request - outage.after - 1
  if (place < 0) return false
  return (outage.every === undefined ? place : place % outage.every) < outage.requests
}

/** The answer of an outage that has one. */
export function outageError(how: Outage['how']): StripeApiError | null {
  if (how.kind === 'rate-limit') return rateLimited(how.retryAfterSeconds)
  return how.kind === 'server-error' ? serverError(how.statusCode) : null
}
