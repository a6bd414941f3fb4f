import { afterAll, beforeAll, expect, test } from 'vitest'
import { RESOURCES } from '../../../scenarios/stripe-server/resources.ts'
import { type StripeServer, startStripeServer } from '../../../scenarios/stripe-server/server.ts'
import { clientOf } from './client.ts'

const COUNTS = {
  customers: 257,
  products: 12,
  prices: 100,
  subscriptions: 230,
  charges: 101,
  refunds: 1,
  balance_transactions: 0,
  invoices: 1203,
  credit_notes: 55,
}

let server: StripeServer
beforeAll(async () => {
  server = await startStripeServer({ seed: 3, counts: COUNTS })
})
afterAll(() => server[Symbol.asyncDispose]())

/** The client's lists by the path of the API. */
function listsOf(one: StripeServer) {
  const client = clientOf(one)
  return {
    customers: client.customers,
    products: client.products,
    prices: client.prices,
    charges: client.charges,
    refunds: client.refunds,
    balance_transactions: client.balanceTransactions,
    invoices: client.invoices,
    credit_notes: client.creditNotes,
  }
}

test.each(Object.keys(COUNTS).filter((resource) => resource !== 'subscriptions'))(
  "the official client's own paging meets every object of %s once, newest first",
  async (name) => {
    const [resource, list] = Object.entries(listsOf(server)).find(([path]) => path === name) ?? []
    const seen: string[] = []
    const created: number[] = []
    for await (const one of list?.list({ limit: 100 }) ?? []) {
      seen.push(one.id)
      created.push(one.created)
    }
    expect(seen).toEqual(server.idsOf(RESOURCES.find((known) => known === resource) ?? 'invoices'))
    expect(created).toEqual(created.toSorted((left, right) => right - left))
  },
)

test('a list gives ten objects unless it is asked for more, and never more than a hundred', async () => {
  const { invoices } = clientOf(server)
  expect((await invoices.list()).data).toHaveLength(10)
  expect((await invoices.list({ limit: 100 })).data).toHaveLength(100)
  await expect(invoices.list({ limit: 101 })).rejects.toMatchObject({
    statusCode: 400,
    type: 'StripeInvalidRequestError',
    param: 'limit',
    message: "This value must be less than or equal to 100 (it currently is '101').",
  })
  await expect(invoices.list({ limit: 0 })).rejects.toMatchObject({ param: 'limit' })
})

test('the client pages backwards with ending_before, from the oldest object to the newest', async () => {
  const all = server.idsOf('charges')
  const seen: string[] = []
  const { charges } = clientOf(server)
  for await (const charge of charges.list({ limit: 7, ending_before: all[60] ?? '' })) seen.push(charge.id)
  expect(seen).toEqual(all.slice(0, 60).toReversed())
  const nearest = await charges.list({ limit: 2, ending_before: all[60] ?? '' })
  expect([nearest.data.map((charge) => charge.id), nearest.has_more]).toEqual([all.slice(58, 60), true])
})

test('bounds of created leave what lies between them, equal seconds included or not', async () => {
  const { invoices } = clientOf(server)
  const all: { id: string; created: number }[] = []
  for await (const { id, created } of invoices.list({ limit: 100 })) all.push({ id, created })
  const [from, to] = [all[700]?.created ?? 0, all[300]?.created ?? 0]
  const cases = [
    { range: { gte: from, lte: to }, keeps: (at: number) => at >= from && at <= to },
    { range: { gt: from, lt: to }, keeps: (at: number) => at > from && at < to },
    { range: { gte: to }, keeps: (at: number) => at >= to },
    { range: { lt: from }, keeps: (at: number) => at < from },
    { range: { gt: all[0]?.created ?? 0 }, keeps: () => false },
  ]
  for (const { range, keeps } of cases) {
    const seen: string[] = []
    for await (const invoice of invoices.list({ limit: 100, created: range })) seen.push(invoice.id)
    expect(seen, JSON.stringify(range)).toEqual(all.filter((one) => keeps(one.created)).map((one) => one.id))
  }
  expect(all.filter((one) => one.created === from).length).toBeGreaterThan(1)
})

test('a list of subscriptions leaves out the cancelled ones unless it is asked for all', async () => {
  const { subscriptions } = clientOf(server)
  const statuses = async (status?: 'all' | 'canceled') => {
    const seen: string[] = []
    const parameters = status === undefined ? {} : { status }
    for await (const one of subscriptions.list({ limit: 100, ...parameters })) seen.push(one.status)
    return seen
  }
  const [all, listed, canceled] = [await statuses('all'), await statuses(), await statuses('canceled')]
  expect(all).toHaveLength(230)
  expect(listed).toEqual(all.filter((status) => status !== 'canceled'))
  expect(new Set(canceled)).toEqual(new Set(['canceled']))
  expect(listed.length + canceled.length).toBe(230)
})

test('an invoice carries its first ten lines, and the others are paged from its own list', async () => {
  const { invoices } = clientOf(server)
  let long = 0
  for await (const invoice of invoices.list({ limit: 100 })) {
    const inlined = invoice.lines.data.map((line) => line.id)
    if (!invoice.lines.has_more) continue
    long += 1
    const lines: string[] = []
    let total = 0
    for await (const line of invoices.listLineItems(invoice.id, { limit: 100 })) {
      lines.push(line.id)
      total += line.amount
    }
    expect(inlined).toEqual(lines.slice(0, 10))
    expect(new Set(lines).size).toBe(lines.length)
    expect(lines.length).toBeGreaterThan(10)
    expect(total).toBe(invoice.total)
    const back = await invoices.listLineItems(invoice.id, { limit: 3, ending_before: lines[8] ?? '' })
    expect(back.data.map((line) => line.id)).toEqual(lines.slice(5, 8))
  }
  expect(long).toBeGreaterThan(0)
})

test('objects that are appended come first, and those that are removed are unknown, as cursors too', async () => {
  await using own = await startStripeServer({ seed: 3, counts: { ...COUNTS, invoices: 20 } })
  const { invoices } = clientOf(own)
  const before = await invoices.list({ limit: 100 })
  own.append('invoices', 2)
  own.append('invoices', 2, 'same-second')
  const after = await invoices.list({ limit: 100 })
  expect(after.data.slice(4).map((one) => one.id)).toEqual(before.data.map((one) => one.id))
  expect(new Set(after.data.slice(0, 3).map((one) => one.created)).size).toBe(1)
  expect(after.data[3]?.created).toBeGreaterThan(before.data[0]?.created ?? 0)

  const gone = after.data[5]?.id ?? ''
  own.remove('invoices', [gone])
  expect((await invoices.list({ limit: 100 })).data.map((one) => one.id)).not.toContain(gone)
  await expect(invoices.retrieve(gone)).rejects.toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
    message: `No such invoice: '${gone}'`,
  })
  await expect(invoices.list({ starting_after: gone })).rejects.toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
    param: 'starting_after',
  })
})

test('a parameter that the server does not know is refused, not ignored', async () => {
  const { invoices } = clientOf(server)
  await expect(invoices.list({ customer: 'cus_1' })).rejects.toMatchObject({ code: 'parameter_unknown' })
  await expect(invoices.list({ expand: ['data.customer'] })).rejects.toMatchObject({
    code: 'parameter_unknown',
  })
  await expect(invoices.list({ starting_after: 'in_1', ending_before: 'in_2' })).rejects.toMatchObject({
    statusCode: 400,
  })
})
