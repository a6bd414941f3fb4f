import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { DEFAULT_API_KEY } from '../../../scenarios/stripe-server/options.ts'
import { RESOURCES, type Resource } from '../../../scenarios/stripe-server/resources.ts'
import { type StripeServer, startStripeServer } from '../../../scenarios/stripe-server/server.ts'

const COUNTS = { invoices: 1500, customers: 300 }

let server: StripeServer
beforeAll(async () => {
  server = await startStripeServer({ counts: COUNTS })
})
afterAll(() => server[Symbol.asyncDispose]())

/** The client's declarations: a file and an interface in it for each kind of object. */
const DECLARED = {
  customers: ['Customers', 'Customer'],
  products: ['Products', 'Product'],
  prices: ['Prices', 'Price'],
  subscriptions: ['Subscriptions', 'Subscription'],
  charges: ['Charges', 'Charge'],
  refunds: ['Refunds', 'Refund'],
  balance_transactions: ['BalanceTransactions', 'BalanceTransaction'],
  invoices: ['Invoices', 'Invoice'],
  credit_notes: ['CreditNotes', 'CreditNote'],
} as const satisfies Record<Resource, readonly [string, string]>

const objectSchema = z.record(z.string(), z.unknown())
const listSchema = z.object({ data: z.array(objectSchema), has_more: z.boolean() })

test.each(RESOURCES)('%s have all fields that the client declares, and no others', async (resource) => {
  const [file, name] = DECLARED[resource]
  await expectDeclared(await list(`/v1/${resource}?limit=100`), file, name)
})

test('lines and items have all fields that the client declares, and no others', async () => {
  const nested = async (resource: Resource, field: string) =>
    (await list(`/v1/${resource}?limit=100`)).flatMap((one) => listSchema.parse(one[field]).data)
  await expectDeclared(await nested('invoices', 'lines'), 'InvoiceLineItems', 'InvoiceLineItem')
  await expectDeclared(await nested('credit_notes', 'lines'), 'CreditNoteLineItems', 'CreditNoteLineItem')
  const items = await nested('subscriptions', 'items')
  await expectDeclared(items, 'SubscriptionItems', 'SubscriptionItem')
  await expectDeclared(
    items.map((item) => objectSchema.parse(item['plan'])),
    'Plans',
    'Plan',
  )
})

test('ids in objects lead to objects', async () => {
  const referring = z.object({
    customer: z.string(),
    lines: z.object({
      data: z.array(
        z.object({
          pricing: z.object({ price_details: z.object({ price: z.string(), product: z.string() }) }),
        }),
      ),
    }),
  })
  for (const invoice of (await list('/v1/invoices?limit=20')).map((one) => referring.parse(one))) {
    expect(await get(`/v1/customers/${invoice.customer}`)).toMatchObject({ id: invoice.customer })
    for (const { pricing } of invoice.lines.data) {
      const price = await get(`/v1/prices/${pricing.price_details.price}`)
      expect(price).toMatchObject({ product: pricing.price_details.product })
    }
  }
})

test('a seed gives the same answers every time, and another seed gives others', async () => {
  await using again = await startStripeServer({ counts: COUNTS })
  await using other = await startStripeServer({ counts: COUNTS, seed: 2 })
  const path = '/v1/invoices?limit=100'
  const first = await text(server, path)
  expect(await text(again, path)).toBe(first)
  expect(await text(other, path)).not.toBe(first)
})

test('what is served is ASCII, with other characters escaped', async () => {
  const body = await text(server, '/v1/customers?limit=100')
  expect(/[^\x20-\x7e]/.exec(body)).toBeNull()
  expect(/Björn|Łukasik|東京/.test(JSON.stringify(JSON.parse(body)))).toBe(true)
})

test('the last of a million invoices is there at once', async () => {
  await using large = await startStripeServer({ counts: { invoices: 1_000_000 } })
  const before = process.memoryUsage().heapUsed
  const newest = listSchema.parse(JSON.parse(await text(large, '/v1/invoices?limit=1')))
  const oldest = listSchema.parse(
    JSON.parse(await text(large, '/v1/invoices?limit=2&created[lte]=1730419200')),
  )
  expect([newest.has_more, oldest.has_more, oldest.data.length]).toEqual([true, true, 2])
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
})

async function expectDeclared(
  objects: readonly Readonly<Record<string, unknown>>[],
  file: string,
  name: string,
): Promise<void> {
  const { required, known } = await declaredFields(file, name)
  expect(objects.length).toBeGreaterThan(0)
  for (const object of objects) {
    expect(Object.keys(object)).toEqual(expect.arrayContaining([...required]))
    expect(Object.keys(object).filter((field) => !known.has(field))).toEqual([])
  }
}

/** Reads the fields of an interface out of the client's own declarations, so that a new version of it is noticed. */
async function declaredFields(file: string, name: string) {
  const path = fileURLToPath(new URL(`resources/${file}.d.ts`, import.meta.resolve('stripe')))
  const source = await readFile(path, 'utf8')
  const [, body = ''] = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, 'ms').exec(source) ?? []
  const fields = [...body.matchAll(/^ {4}(\w+)(\??):/gm)]
  return {
    required: fields.filter(([, , optional]) => optional === '').map(([, field = '']) => field),
    known: new Set(fields.map(([, field = '']) => field)),
  }
}

async function list(path: string) {
  return listSchema.parse(await get(path)).data
}

async function get(path: string): Promise<unknown> {
  return JSON.parse(await text(server, path))
}

async function text(one: StripeServer, path: string): Promise<string> {
  const answer = await fetch(`${one.url}${path}`, { headers: { authorization: `Bearer ${DEFAULT_API_KEY}` } })
  expect(answer.status).toBe(200)
  return answer.text()
}
