import { Stripe } from 'stripe'
import { z } from 'zod'

/** Bare paging: the official client reads every invoice and does nothing with it. Prints how long that took. */
const [address = '', apiKey = ''] = process.argv.slice(2)
const url = new URL(z.url().parse(address))
const client = new Stripe(apiKey, { host: url.hostname, port: url.port, protocol: 'http' })
const startedAt = performance.now()
let rows = 0
await client.invoices.list({ limit: 100 }).autoPagingEach(() => {
  rows += 1
})
process.stdout.write(`${JSON.stringify({ rows, wallMs: performance.now() - startedAt })}\n`)
