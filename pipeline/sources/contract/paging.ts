import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { type ContractCheck, fail, pass, skip, tableCheck } from './check.ts'
import { difference } from './compare-readings.ts'
import type { RecordedPage } from './recording.ts'
import { NO_BYTE_BOUNDS } from './subject.ts'

/** A cursor is stored with every batch. */
const MAX_CURSOR_BYTES = 64 * 1024

export const pagingCheck: ContractCheck = tableCheck(
  'paging',
  'a full read ends, and no page has more rows than were asked for',
  async (subject, table) => {
    const { pages, digests, ended } = await subject.recording(table, null)
    const { pageRows } = subject.options
    const large = pages.findIndex(({ rows }) => rows > pageRows)
    if (large >= 0)
      return fail(`page ${large} has more than ${pageRows} rows`, {
        page: large,
        rows: pages[large]?.rows ?? 0,
      })
    const counts = { rows: digests.length, pages: pages.length }
    if (!ended)
      return skip(`it goes on after ${counts.rows} rows in ${counts.pages} pages, where the look at it ends`)
    return pass(`${counts.rows} rows in ${counts.pages} pages`, counts)
  },
)

export const cursorCheck: ContractCheck = tableCheck(
  'cursors',
  'every page moves the cursor to where it never was, and a cursor is a little JSON',
  async (subject, table) => {
    const { pages } = await subject.recording(table, null)
    const seen = new Map<string, number>()
    for (const [index, { cursor }] of pages.entries()) {
      const problem = problemOfCursor(cursor)
      if (problem !== null) return fail(`the cursor of page ${index} ${problem}`, { page: index })
      const text = JSON.stringify(cursor)
      const before = seen.get(text)
      if (before !== undefined)
        return fail(`pages ${before} and ${index} have the same cursor`, { page: index, cursor })
      seen.set(text, index)
    }
    return pages.length === 0 ? skip('the table has no pages') : pass(`${pages.length} cursors`)
  },
)

function problemOfCursor(cursor: RecordedPage['cursor']): string | null {
  if (cursor === null) return 'is null, which means the beginning'
  const text = z.json().safeParse(cursor).success ? JSON.stringify(cursor) : null
  if (text === null || !isDeepStrictEqual(JSON.parse(text), cursor)) return 'is no JSON'
  const bytes = Buffer.byteLength(text)
  return bytes > MAX_CURSOR_BYTES ? `takes ${bytes} bytes, more than ${MAX_CURSOR_BYTES}` : null
}

export const rowsCheck: ContractCheck = tableCheck(
  'rows',
  'rows hold what the pipeline can take: declared columns, whole keys, and values of the kinds that the interface names',
  async (subject, table) => {
    const { problems, digests } = await subject.recording(table, null)
    if (problems.length > 0) return fail(problems.join('; '))
    return digests.length === 0 ? skip('the table is empty') : pass(`${digests.length} rows`)
  },
)

export const keysCheck: ContractCheck = tableCheck(
  'keys',
  'a full read yields every key once, where the source says so',
  async (subject, table) => {
    if (table.primaryKey.length === 0) return skip('the table has no key')
    if (!table.keysOnce) return skip('the source does not say so')
    const { keys } = await subject.recording(table, null)
    const seen = new Map<string, number>()
    for (const [place, key] of keys.entries()) {
      const before = seen.get(key)
      if (before !== undefined)
        return fail(`the rows at places ${before} and ${place} have the same key`, { place })
      seen.set(key, place)
    }
    return keys.length === 0 ? skip('the table is empty') : pass(`${keys.length} keys`)
  },
)

export const byteBoundCheck: ContractCheck = tableCheck(
  'byte-bound',
  'a page holds no more bytes than were asked for, but for a single larger row; and all rows come nevertheless',
  async (subject, table) => {
    const whole = await subject.recording(table, null)
    const { readAheadBytes, pageRows } = subject.options
    if (whole.bytes <= readAheadBytes)
      return skip(`its ${whole.bytes} bytes fit into one page of ${readAheadBytes}`)
    const bound = await subject.read(table, { limits: { ...NO_BYTE_BOUNDS, readAheadBytes, pageRows } })
    const large = bound.pages.findIndex(
      ({ rows, bytes, declaredBytes = 0 }) => rows > 1 && Math.max(bytes, declaredBytes) > readAheadBytes,
    )
    const page = bound.pages[large]
    if (page !== undefined) {
      const bytes = Math.max(page.bytes, page.declaredBytes ?? 0)
      return fail(`page ${large} holds ${page.rows} rows of ${bytes} bytes`, {
        page: large,
        bytes,
        readAheadBytes,
      })
    }
    const wrong = difference(whole.digests, bound, whole.ended)
    return wrong === null
      ? pass(`${bound.pages.length} pages of up to ${readAheadBytes} bytes`)
      : fail(`with small pages ${wrong.reason}`, wrong.values)
  },
)
