import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from '../../../../pipeline/sources/source.ts'
import { RESOURCES } from '../../../../scenarios/stripe-server/resources.ts'
import { type StripeServer, startStripeServer } from '../../../../scenarios/stripe-server/server.ts'
import { idsIn, openSource, pagesOf, requestOf, rowsIn, stored } from './reading.ts'

const COUNTS = {
  customers: 457,
  products: 12,
  prices: 100,
  subscriptions: 230,
  charges: 301,
  refunds: 1,
  balance_transactions: 0,
  invoices: 1203,
  credit_notes: 155,
}

let server: StripeServer
beforeAll(async () => {
  server = await startStripeServer({ seed: 5, counts: COUNTS })
})
afterAll(() => server[Symbol.asyncDispose]())

test.each(RESOURCES)('a full read of %s yields every object once, as Stripe sent it', async (resource) => {
  server.resetStats()
  const pages = await pagesOf(server, resource)
  expect(idsIn(pages)).toEqual(server.idsOf(resource))
  const expected = Math.max(1, Math.ceil(COUNTS[resource] / 100))
  expect(server.stats()).toMatchObject({ requests: { [resource]: expected }, pagesRepeated: {} })
  expect(pages.every((page) => page.mark === undefined && (page.bytes ?? 0) > 0)).toBe(true)
})

test('rows keep decimals as the text that Stripe wrote', async () => {
  const amounts = rowsIn(await pagesOf(server, 'prices')).map((row) => row['unit_amount_decimal'])
  expect(new Set(amounts.map((amount) => typeof amount))).toEqual(new Set(['string']))
  expect(amounts).toContain('0.3')
})

test.each([100, 37])(
  'a read that goes on from any cursor of pages of %i yields the rest',
  async (pageRows) => {
    const pages = await pagesOf(server, 'customers', { limits: { pageRows } })
    for (const [index, { cursor }] of pages.entries()) {
      const rest = await pagesOf(server, 'customers', { resume: stored(cursor), limits: { pageRows } })
      expect(idsIn(rest)).toEqual(idsIn(pages.slice(index + 1)))
    }
  },
)

test('a page that is larger than what may be held is given out in parts, each with its cursor', async () => {
  const limits = { readAheadBytes: 20_000 }
  const parts = await pagesOf(server, 'invoices', { limits })
  expect(idsIn(parts)).toEqual(server.idsOf('invoices'))
  expect(parts.length).toBeGreaterThan(100)
  expect(parts.every((part) => part.rows.length === 1 || (part.bytes ?? 0) <= 20_000)).toBe(true)
  for (const at of [0, 5, 60]) {
    const rest = await pagesOf(server, 'invoices', { resume: stored(parts[at]?.cursor ?? null), limits })
    expect(idsIn(rest)).toEqual(idsIn(parts.slice(at + 1)))
  }
})

test('a page comes with the answer that its rows were in, unless it holds only some of them', async () => {
  const whole = await pagesOf(server, 'invoices')
  for (const { rows, answer, bytes } of whole) {
    expect(answer?.rowsAt).toBe('data')
    expect(JSON.parse(Buffer.from(answer?.json ?? []).toString())).toMatchObject({ data: rows })
    expect(bytes).toBe(answer?.json.length)
  }
  const cut = await pagesOf(server, 'invoices', { limits: { readAheadBytes: 50_000 } })
  // Of the 1,203 invoices, three are on the last page, which fits.
  expect(cut.slice(0, -1).every(({ answer }) => answer === undefined)).toBe(true)
  expect(cut.at(-1)).toMatchObject({ rows: { length: 3 }, answer: { rowsAt: 'data' } })
})

test('the next page is asked for when the reader asks for it, and not before', async () => {
  await using source = await openSource(server)
  server.resetStats()
  const pages = source.read(await requestOf(source, 'invoices'))[Symbol.asyncIterator]()
  await pages.next()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(server.stats().requests).toEqual({ invoices: 1 })
  const second = pages.next()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(server.stats().requests).toEqual({ invoices: 2 })
  await second
  await pages.return?.()
})

test('what is created during a read is left to the next one, and nothing comes twice', async () => {
  await using own = await startStripeServer({ counts: { charges: 250 } })
  const before = own.idsOf('charges')
  await using source = await openSource(own)
  const seen: Page[] = []
  for await (const page of source.read(await requestOf(source, 'charges'))) {
    own.append('charges', 30)
    own.append('charges', 3, 'same-second')
    seen.push(page)
  }
  expect(idsIn(seen)).toEqual(before)
})

test('a read goes on when the object at its cursor was deleted, and yields each of the others once', async () => {
  await using own = await startStripeServer({ counts: { customers: 460 } })
  const all = own.idsOf('customers')
  const pages = await pagesOf(own, 'customers')
  for (const [index, { cursor, rows }] of pages.slice(0, -1).entries()) {
    const last = rows.at(-1)?.['id']
    own.remove('customers', [String(last)])
    const rest = await pagesOf(own, 'customers', { resume: stored(cursor) })
    expect(idsIn(rest)).toEqual(all.slice((index + 1) * 100))
  }
})

test('a deleted cursor among hundreds of objects of one second loses none of them and doubles none', async () => {
  await using own = await startStripeServer({ counts: { charges: 40 } })
  own.append('charges', 350, 'same-second')
  const all = own.idsOf('charges')
  const pages = await pagesOf(own, 'charges')
  const third = pages[2]
  own.remove('charges', [String(third?.rows.at(-1)?.['id']), all[150] ?? '', all[320] ?? ''])
  const rest = await pagesOf(own, 'charges', { resume: stored(third?.cursor ?? null) })
  expect(idsIn(rest)).toEqual(all.slice(300).filter((id) => id !== all[320]))
})

test('the object at the cursor may vanish while the read goes on', async () => {
  await using own = await startStripeServer({ counts: { products: 330 } })
  const all = own.idsOf('products')
  await using source = await openSource(own)
  const seen: Page[] = []
  for await (const page of source.read(await requestOf(source, 'products'))) {
    seen.push(page)
    own.remove('products', [String(page.rows.at(-1)?.['id'])])
  }
  expect(idsIn(seen)).toEqual(all)
})
