import { Stripe } from 'stripe'

/** What `Retry-After` asks for, as seconds or as a date; null when an error came without it. */
export function retryAfterMs(error: unknown): number | null {
  const value = error instanceof Stripe.errors.StripeError ? error.headers?.['retry-after'] : undefined
  if (value === undefined) return null
  const waitMs = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(waitMs) ? null : Math.max(0, waitMs)
}
