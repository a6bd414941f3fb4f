import { Stripe } from 'stripe'
import { DEFAULT_API_KEY } from '../../../scenarios/stripe-server/options.ts'
import type { StripeServer } from '../../../scenarios/stripe-server/server.ts'

interface ClientOptions {
  readonly key?: string
  readonly maxNetworkRetries?: number
  readonly stripeAccount?: string
}

/** The official client as anyone would set it up, pointed at the server. */
export function clientOf(server: StripeServer, options: ClientOptions = {}): Stripe {
  const { key = DEFAULT_API_KEY, maxNetworkRetries = 0, stripeAccount } = options
  return new Stripe(key, {
    host: server.host,
    port: server.port,
    protocol: 'http',
    maxNetworkRetries,
    ...(stripeAccount === undefined ? {} : { stripeAccount }),
  })
}
