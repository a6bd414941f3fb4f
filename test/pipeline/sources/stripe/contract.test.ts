import { afterAll, beforeAll } from 'vitest'
import { stripe } from '../../../../pipeline/sources/stripe/index.ts'
import { DEFAULT_API_KEY } from '../../../../scenarios/stripe-server/options.ts'
import { type StripeServer, startStripeServer } from '../../../../scenarios/stripe-server/server.ts'
import { sourceContract } from '../contract.ts'

const COUNTS = {
  customers: 350,
  products: 12,
  prices: 30,
  subscriptions: 210,
  charges: 320,
  refunds: 5,
  balance_transactions: 240,
  invoices: 700,
  credit_notes: 120,
}

let server: StripeServer
beforeAll(async () => {
  server = await startStripeServer({ seed: 11, counts: COUNTS })
})
afterAll(() => server[Symbol.asyncDispose]())

sourceContract('stripe', stripe, () => ({ apiKey: DEFAULT_API_KEY, baseUrl: server.url }), {
  readAheadBytes: 64 * 1024,
})
