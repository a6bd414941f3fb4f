import { Stripe } from 'stripe'

/**
 * What `Retry-After` asks for, as seconds or as a date, which counts from when the answer says that it was written: the clock
 * of this machine may be another. Null when an error came without it.
 */
export function retryAfterMs(error: unknown): number | null {
  const headers = error instanceof Stripe.errors.StripeError ? error.headers : undefined
  const value = headers?.['retry-after']
  if (value === undefined) return null
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000
  const waitMs = Date.parse(value) - Date.parse(headers?.['date'] ?? '')
  return Number.isNaN(waitMs) ? null : Math.max(0, waitMs)
}
