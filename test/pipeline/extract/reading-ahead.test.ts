import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readAhead } from '../../../pipeline/extract/reading-ahead.ts'
import type { Page } from '../../../pipeline/sources/source.ts'

const BYTES = 100

/** Numbered pages of a source that tells what is done with them. */
class Pages {
  asked = 0
  kept: number[] = []
  /** The most pages that were asked for while not all but the last two of them were kept. */
  unkept = 0
  closed = false
  readonly #count: number
  readonly #failure: Error | null

  constructor(count: number, failure: Error | null = null) {
    this.#count = count
    this.#failure = failure
  }

  async *read(): AsyncGenerator<Page, void, void> {
    try {
      for (let page = 1; page <= this.#count; page += 1) {
        this.#ask()
        await setImmediate()
        yield { rows: [{ page }], cursor: page, bytes: BYTES }
      }
      this.#ask()
      if (this.#failure !== null) throw this.#failure
    } finally {
      this.closed = true
    }
  }

  async keep({ cursor }: Page): Promise<void> {
    for (let turns = 0; turns < Number(cursor) % 5; turns += 1) await setImmediate()
    this.kept.push(Number(cursor))
  }

  #ask(): void {
    this.unkept = Math.max(this.unkept, this.asked - this.kept.length)
    this.asked += 1
  }
}

function ahead(pages: Pages, waitingBytes = 10 * BYTES): AsyncGenerator<Page, void, void> {
  return readAhead({ pages: pages.read(), keep: (page) => pages.keep(page), waitingBytes })
}

test('pages come in their order, each after all before it were kept', async () => {
  const pages = new Pages(40)
  const taken: unknown[] = []
  for await (const { cursor } of ahead(pages)) {
    expect(pages.kept.length).toBeGreaterThanOrEqual(taken.length)
    taken.push(cursor)
    for (let turns = 0; turns < taken.length % 7; turns += 1) await setImmediate()
  }
  expect(taken).toStrictEqual(Array.from({ length: 40 }, (_, index) => index + 1))
  expect(pages.kept).toStrictEqual(taken)
})

test('when a page is asked for, only the one before it may be not kept yet', async () => {
  const pages = new Pages(40)
  for await (const _ of ahead(pages)) await setImmediate()
  expect(pages.unkept).toBe(1)
})

test('the next page is asked for before a page is handed over, and more only up to the bytes that may wait', async () => {
  const pages = new Pages(100)
  const reading = ahead(pages)
  await reading.next()
  expect(pages.asked).toBeGreaterThanOrEqual(2)
  for (let turns = 0; turns < 300; turns += 1) await setImmediate()
  expect(pages.asked).toBe(11)
  await reading.return()
})

test('one page waits where not even that one fits', async () => {
  const pages = new Pages(10)
  const taken: unknown[] = []
  for await (const { cursor } of ahead(pages, 1)) taken.push(cursor)
  expect(taken).toHaveLength(10)
})

test('what the reading fails with comes after the pages before it, and they are kept', async () => {
  const pages = new Pages(5, new Error('the source is away'))
  const taken: unknown[] = []
  const reading = async () => {
    for await (const { cursor } of ahead(pages)) taken.push(cursor)
  }
  await expect(reading()).rejects.toThrow('the source is away')
  expect(taken).toHaveLength(5)
  expect(pages.kept).toHaveLength(5)
})

test('a page that cannot be kept ends the reading before the page after it is handed over', async () => {
  const pages = new Pages(10)
  const taken: unknown[] = []
  const reading = async () => {
    const keep = (page: Page) =>
      page.cursor === 3 ? Promise.reject(new Error('the lease is lost')) : pages.keep(page)
    for await (const { cursor } of readAhead({ pages: pages.read(), keep, waitingBytes: BYTES * 10 }))
      taken.push(cursor)
  }
  await expect(reading()).rejects.toThrow('the lease is lost')
  expect(taken).toStrictEqual([1, 2, 3])
  expect(pages.closed).toBe(true)
})

test('who stops taking leaves nothing behind: the page on its way is kept, and the source is closed', async () => {
  const pages = new Pages(100)
  for await (const { cursor } of ahead(pages)) if (cursor === 4) break
  const { asked, kept } = pages
  expect(kept).toHaveLength(asked)
  expect(pages.closed).toBe(true)
  for (let turns = 0; turns < 20; turns += 1) await setImmediate()
  expect(pages.asked).toBe(asked)
})
