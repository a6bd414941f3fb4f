import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Batcher } from '../../../pipeline/extract/batcher.ts'

const LIMITS = { payloadBytes: 100, rows: 10 }

/** The batches that pages of rows of these sizes become, as the pages' row numbers; `p2:0` is the first row of page 2. */
function batchesOf(pages: readonly (readonly number[])[], limits = LIMITS) {
  const batcher = new Batcher(limits)
  const batches: { row: string; bytes: number }[][] = []
  for (const [number, page] of pages.entries()) {
    for (const { from, to, startsBatch } of batcher.place(page)) {
      if (startsBatch || batches.length === 0) batches.push([])
      const rows = page.slice(from, to).map((bytes, row) => ({ row: `p${number}:${from + row}`, bytes }))
      batches.at(-1)?.push(...rows)
    }
    expect(batcher.rows).toBe(batches.at(-1)?.length ?? 0)
  }
  return batches
}

const pagesArbitrary = fc.array(
  fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 150 })), { maxLength: 25 }),
  { maxLength: 12 },
)

describe('batches', () => {
  test('never pass a limit unless they are a single row, and lose, double and reorder nothing', () => {
    fc.assert(
      fc.property(pagesArbitrary, (pages) => {
        const batches = batchesOf(pages)
        for (const batch of batches) {
          const bytes = batch.reduce((sum, row) => sum + row.bytes, 0)
          expect(batch.length === 1 || (bytes <= LIMITS.payloadBytes && batch.length <= LIMITS.rows)).toBe(
            true,
          )
        }
        const rows = pages.flatMap((page, number) => page.map((_, row) => `p${number}:${row}`))
        expect(batches.flat().map(({ row }) => row)).toEqual(rows)
      }),
    )
  })

  test('end before a page that would overfill them, so that the page stays whole', () => {
    fc.assert(
      fc.property(pagesArbitrary, (pages) => {
        const cut = batchesOf(pages).filter(([first]) => first !== undefined && !first.row.endsWith(':0'))
        for (const [first] of cut) {
          const page = pages[Number(/^p(\d+)/.exec(first?.row ?? '')?.[1])] ?? []
          const fitsAlone =
            page.length <= LIMITS.rows && page.reduce((sum, bytes) => sum + bytes, 0) <= LIMITS.payloadBytes
          expect(fitsAlone).toBe(false)
        }
      }),
    )
  })

  test.each([
    ['pages fill a batch up to its limit', [[40], [60], [1]], [['p0:0', 'p1:0'], ['p2:0']]],
    ['a page that does not fit begins a new one', [[40], [30, 31]], [['p0:0'], ['p1:0', 'p1:1']]],
    ['a row larger than the limit passes alone', [[10], [500], [10]], [['p0:0'], ['p1:0'], ['p2:0']]],
    ['a large page is cut between its rows', [[10], [60, 60, 40]], [['p0:0'], ['p1:0'], ['p1:1', 'p1:2']]],
    ['what is left of a large page stays open', [[90, 90], [5]], [['p0:0'], ['p0:1', 'p1:0']]],
    [
      'rows count, too',
      [Array.from({ length: 8 }, () => 0), [0, 0, 0]],
      [
        ['p0:0', 'p0:1', 'p0:2', 'p0:3', 'p0:4', 'p0:5', 'p0:6', 'p0:7'],
        ['p1:0', 'p1:1', 'p1:2'],
      ],
    ],
    ['a page without rows changes nothing', [[1], [], [1]], [['p0:0', 'p2:0']]],
  ])('%s', (_, pages, batches) => {
    expect(batchesOf(pages).map((batch) => batch.map(({ row }) => row))).toEqual(batches)
  })

  test('keep clear of the 32 bits that Arrow has for the places of texts, however large they may be', () => {
    const gigabyte = 1_000_000_000
    const batches = batchesOf([[gigabyte], [gigabyte]], { payloadBytes: 10 * gigabyte, rows: 10 })
    expect(batches.map((batch) => batch.length)).toEqual([1, 1])
  })

  test('begin anew after an end that the caller asked for', () => {
    const batcher = new Batcher(LIMITS)
    batcher.place([90])
    batcher.end()
    expect(batcher.place([90])).toEqual([{ from: 0, to: 1, startsBatch: false }])
  })
})
