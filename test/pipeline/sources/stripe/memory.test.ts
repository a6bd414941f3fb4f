import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { startStripeServer } from '../../../../scenarios/stripe-server/server.ts'
import { openSource, requestOf } from './reading.ts'

setFlagsFromString('--expose-gc')

const INVOICES = 200_000
/** What a page leaves behind would add up to far more over two thousand of them. */
const GROWTH_BYTES = 24 * 2 ** 20

test('a read of 200,000 invoices holds no more memory at its end than at its beginning', async () => {
  await using server = await startStripeServer({ counts: { invoices: INVOICES } })
  await using source = await openSource(server)
  let rows = 0
  let settledBytes = 0
  for await (const page of source.read(await requestOf(source, 'invoices'))) {
    rows += page.rows.length
    if (rows === INVOICES / 10) settledBytes = heapBytes()
  }
  expect(rows).toBe(INVOICES)
  expect(heapBytes() - settledBytes).toBeLessThan(GROWTH_BYTES)
})

function heapBytes(): number {
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
  return process.memoryUsage().heapUsed
}
