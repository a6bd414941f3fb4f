import { expect, test } from 'vitest'
import type { JsonValue } from '../../../../pipeline/sources/source.ts'
import { type StripeServer, startStripeServer } from '../../../../scenarios/stripe-server/server.ts'
import { idsIn, openSource, pagesOf, requestOf, rowsIn, stored } from './reading.ts'

const FIELD = 'created'

async function readSince(server: StripeServer, since: JsonValue | null) {
  const pages = await pagesOf(server, 'invoices', { incremental: { field: FIELD, since } })
  return { ids: idsIn(pages), mark: pages.at(-1)?.mark ?? null, pages }
}

test('a first incremental read yields all, and its mark is the newest second from the first page on', async () => {
  await using server = await startStripeServer({ counts: { invoices: 450 } })
  const { ids, mark, pages } = await readSince(server, null)
  expect(ids).toEqual(server.idsOf('invoices'))
  expect(mark).toBe(rowsIn(pages)[0]?.['created'])
  expect(pages.map((page) => page.mark)).toEqual(pages.map(() => mark))
})

test('the next one yields what was created since, and the second of the mark again', async () => {
  await using server = await startStripeServer({ counts: { invoices: 450 } })
  const first = await readSince(server, null)
  server.append('invoices', 260)
  const second = await readSince(server, first.mark)
  const ofMark = rowsIn(first.pages).filter((row) => row['created'] === first.mark).length
  expect(ofMark).toBe(3)
  expect(second.ids).toEqual(server.idsOf('invoices').slice(0, 260 + ofMark))
  expect(second.mark).toBeGreaterThan(Number(first.mark))
})

test('objects that were created in the very second of the mark, after it was read, are not lost', async () => {
  await using server = await startStripeServer({ counts: { invoices: 450 } })
  const first = await readSince(server, null)
  server.append('invoices', 5, 'same-second')
  const second = await readSince(server, first.mark)
  expect(second.mark).toBe(first.mark)
  expect(new Set([...first.ids, ...second.ids])).toEqual(new Set(server.idsOf('invoices')))
})

test('an incremental read that goes on from any cursor yields the rest, with the mark of its beginning', async () => {
  await using server = await startStripeServer({ counts: { invoices: 650 } })
  const [oldest] = rowsIn((await readSince(server, null)).pages).slice(-300)
  const since = Number(oldest?.['created'])
  const { pages, mark } = await readSince(server, since)
  server.append('invoices', 120)
  for (const [index, { cursor }] of pages.entries()) {
    const rest = await pagesOf(server, 'invoices', {
      incremental: { field: FIELD, since },
      resume: stored(cursor),
    })
    expect(idsIn(rest)).toEqual(idsIn(pages.slice(index + 1)))
    expect(rest.every((page) => page.mark === mark)).toBe(true)
  }
})

test('an empty table has no mark, and a mark never goes back', async () => {
  await using server = await startStripeServer({ counts: { invoices: 0, charges: 9 } })
  expect(await readSince(server, null)).toMatchObject({ ids: [], mark: null })
  const pages = await pagesOf(server, 'charges', { incremental: { field: FIELD, since: null } })
  const mark = Number(pages[0]?.mark)
  server.remove('charges', server.idsOf('charges').slice(0, 3))
  await using source = await openSource(server, { lookbackSeconds: 10 ** 9 })
  const request = await requestOf(source, 'charges', { incremental: { field: FIELD, since: mark } })
  const again = []
  for await (const page of source.read(request)) again.push(page)
  expect(idsIn(again)).toEqual(server.idsOf('charges'))
  expect(again.map((page) => page.mark)).toEqual([mark])
})
