import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { stripeServerOptionsSchema } from '../../scenarios/stripe-server/options.ts'
import { startStripeServer } from '../../scenarios/stripe-server/server.ts'

/** The server as a process of its own: options as a line of JSON on stdin, its address on stdout; it ends with stdin. */
const lines = createInterface({ input: process.stdin })
const [line] = await once(lines, 'line')
await using server = await startStripeServer(stripeServerOptionsSchema.parse(JSON.parse(String(line))))
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`)
await once(lines, 'close')
