import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { JsonValue, Page, ParentRows, Row } from '../../../../pipeline/sources/source.ts'
import { type StripeServer, startStripeServer } from '../../../../scenarios/stripe-server/server.ts'
import { clientOf } from '../../../scenarios/stripe-server/client.ts'
import { openSource, pagesOf, requestOf, rowsIn, stored } from './reading.ts'

const TABLE = 'invoice_line_items'
const INVOICES = 1100

let server: StripeServer
/** `invoice/line` of all lines, as the official client lists them. */
let all: readonly string[]
let long: readonly string[]
beforeAll(async () => {
  server = await startStripeServer({ seed: 11, counts: { invoices: INVOICES } })
  const lines = await linesByClient(server)
  all = lines.all
  long = lines.long
})
afterAll(() => server[Symbol.asyncDispose]())

async function linesByClient(one: StripeServer) {
  const { invoices } = clientOf(one)
  const found = { all: new Array<string>(), long: new Array<string>() }
  for await (const invoice of invoices.list({ limit: 100 })) {
    if (invoice.lines.has_more) found.long.push(invoice.id)
    for await (const line of invoices.listLineItems(invoice.id, { limit: 100 }))
      found.all.push(`${invoice.id}/${line.id}`)
  }
  return found
}

function keysIn(pages: readonly Page[]): readonly string[] {
  return rowsIn(pages).map((row) => `${String(row['invoice_id'])}/${String(row['id'])}`)
}

test('every line of every invoice comes once, and only long invoices cost requests of their own', async () => {
  server.resetStats()
  const pages = await pagesOf(server, TABLE)
  expect(keysIn(pages)).toEqual(all)
  expect(long.length).toBeGreaterThanOrEqual(2)
  const { requests, pagesRepeated } = server.stats()
  expect(requests['invoices']).toBe(INVOICES / 100)
  expect(requests['invoice_line_items']).toBeLessThanOrEqual(long.length * 3)
  expect(pagesRepeated).toEqual({})
  expect(rowsIn(pages)[0]).toMatchObject({ invoice_created: expect.any(Number), object: 'line_item' })
})

test.each([10_000, 40, 3])(
  'a read of pages of %i rows that is killed anywhere goes on without losing or doubling a line',
  async (pageRows) => {
    const limits = { pageRows }
    const pages = await pagesOf(server, TABLE, { limits })
    expect(keysIn(pages)).toEqual(all)
    expect(pages.every((page) => page.rows.length <= pageRows)).toBe(true)
    const step = Math.max(1, Math.floor(pages.length / 40))
    for (let index = 0; index < pages.length; index += step) {
      const rest = await pagesOf(server, TABLE, { resume: stored(pages[index]?.cursor ?? null), limits })
      expect(keysIn(rest), `page ${index}`).toEqual(keysIn(pages.slice(index + 1)))
    }
  },
)

test('every page moves the cursor', async () => {
  const pages = await pagesOf(server, TABLE, { limits: { pageRows: 40 } })
  const cursors = pages.map((page) => JSON.stringify(page.cursor))
  expect(new Set(cursors).size).toBe(cursors.length)
})

test('invoices that are created before a read goes on are left to the next one', async () => {
  await using own = await startStripeServer({ seed: 11, counts: { invoices: 300 } })
  const pages = await pagesOf(own, TABLE, { limits: { pageRows: 25 } })
  own.append('invoices', 40)
  own.append('invoices', 3, 'same-second')
  for (const at of [0, 1, pages.length - 2]) {
    const rest = await pagesOf(own, TABLE, { resume: stored(pages[at]?.cursor ?? null) })
    expect(keysIn(rest)).toEqual(keysIn(pages.slice(at + 1)))
  }
})

test('an invoice that was deleted is passed over, also in the middle of its lines', async () => {
  await using own = await startStripeServer({ seed: 11, counts: { invoices: INVOICES } })
  const [victim = '', other = ''] = long
  await using source = await openSource(own)
  const seen: Page[] = []
  for await (const page of source.read(await requestOf(source, TABLE, { limits: { pageRows: 50 } }))) {
    seen.push(page)
    const last = page.rows.at(-1)?.['invoice_id']
    if (last === victim) own.remove('invoices', [victim])
    if (seen.length === 1) own.remove('invoices', [other])
  }
  const kept = all.filter((key) => !key.startsWith(victim) && !key.startsWith(other))
  expect(keysIn(seen).filter((key) => !key.startsWith(victim))).toEqual(kept)

  const interrupted = seen.find((page) => page.rows.at(-1)?.['invoice_id'] === victim)
  const rest = await pagesOf(own, TABLE, { resume: stored(interrupted?.cursor ?? null) })
  const first = kept.findIndex((key) => key === keysIn(rest)[0])
  expect(keysIn(rest)).toEqual(kept.slice(first))
  expect(
    keysIn(seen.slice(0, seen.indexOf(interrupted ?? seen[0] ?? { rows: [], cursor: null }) + 1)),
  ).toEqual(expect.arrayContaining(kept.slice(0, first)))
})

test('a line that is deleted while it is the cursor does not double the others of its invoice', async () => {
  await using own = await startStripeServer({ seed: 11, counts: { invoices: INVOICES } })
  const limits = { pageRows: 7 }
  const pages = await pagesOf(own, TABLE, { limits })
  const at = pages.findIndex((page) => page.rows.at(-1)?.['invoice_id'] === long[0]) + 2
  const last = pages[at]?.rows.at(-1)
  expect(last?.['invoice_id']).toBe(long[0])
  own.remove('invoice_line_items', [String(last?.['id'])])
  const rest = await pagesOf(own, TABLE, { resume: stored(pages[at]?.cursor ?? null), limits })
  expect(keysIn(rest)).toEqual(keysIn(pages.slice(at + 1)))
})

test('an incremental read takes the invoices since the mark, and its mark is their newest second', async () => {
  await using own = await startStripeServer({ seed: 11, counts: { invoices: 300 } })
  const incremental = { field: 'invoice_created', since: null }
  const first = await pagesOf(own, TABLE, { incremental, limits: { pageRows: 30 } })
  const mark = Number(first[0]?.mark)
  expect(first.every((page) => page.mark === mark)).toBe(true)
  expect(mark).toBe(rowsIn(first)[0]?.['invoice_created'])
  own.append('invoices', 9)
  const second = await pagesOf(own, TABLE, { incremental: { ...incremental, since: mark } })
  const invoices = new Set(rowsIn(second).map((row) => row['invoice_id']))
  expect([...invoices]).toEqual(own.idsOf('invoices').slice(0, 12))
  expect(second[0]?.mark).toBeGreaterThan(mark)
})

/** The invoices as a stored table would give them: sorted by key, of each only the columns that were asked for. */
class StoredInvoices implements ParentRows {
  readonly #rows: readonly Row[]
  readonly #isText: boolean
  reads = 0

  constructor(rows: readonly Row[], isText: boolean) {
    this.#rows = rows.toSorted((left, right) => (String(left['id']) < String(right['id']) ? -1 : 1))
    this.#isText = isText
  }

  get count(): number {
    return this.#rows.length
  }

  async *read(after: JsonValue | null) {
    this.reads += 1
    for (const { id, created, lines } of this.#rows) {
      if (after !== null && String(id) <= z.string().parse(after)) continue
      const row = this.#isText
        ? { id, created: BigInt(Number(created)), lines: JSON.stringify(lines) }
        : { id, created, lines }
      yield await Promise.resolve({ key: String(id), row })
    }
  }
}

test.each([true, false])(
  'stored invoices (lines as JSON text: %s) save the requests for a list, wherever the read goes on',
  async (isText) => {
    const invoices = rowsIn(await pagesOf(server, 'invoices'))
    const parents = () => new StoredInvoices(invoices, isText)
    server.resetStats()
    const limits = { pageRows: 60 }
    const pages = await pagesOf(server, TABLE, { parents: parents(), limits })
    expect(keysIn(pages).toSorted()).toEqual(all.toSorted())
    expect(server.stats().requests['invoices']).toBeUndefined()
    for (let index = 0; index < pages.length; index += 1) {
      const resume = stored(pages[index]?.cursor ?? null)
      const rest = await pagesOf(server, TABLE, { parents: parents(), limits, resume })
      expect(keysIn(rest), `page ${index}`).toEqual(keysIn(pages.slice(index + 1)))
    }
  },
)

test('a read goes on with the invoices that it began with', async () => {
  const parents = new StoredInvoices(rowsIn(await pagesOf(server, 'invoices')), true)
  const listed = await pagesOf(server, TABLE)
  const rest = await pagesOf(server, TABLE, { parents, resume: stored(listed[3]?.cursor ?? null) })
  expect(keysIn(rest)).toEqual(keysIn(listed.slice(4)))
  expect(parents.reads).toBe(0)
  const fromStored = await pagesOf(server, TABLE, { parents })
  await expect(
    pagesOf(server, TABLE, { resume: stored(fromStored[0]?.cursor ?? null) }),
  ).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('stored invoices') })
})
