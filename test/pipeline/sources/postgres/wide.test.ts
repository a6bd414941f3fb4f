import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { classify } from '../../../../pipeline/sources/errors.ts'
import { FetchSizer } from '../../../../pipeline/sources/postgres/fetch-sizer.ts'
import { postgres } from '../../../../pipeline/sources/postgres/index.ts'
import { WireMeter } from '../../../../pipeline/sources/postgres/wire-meter.ts'
import type { Source } from '../../../../pipeline/sources/source.ts'
import { pagesOf, requestOf, rowsOf, TestDatabase, tableNamed } from './database.ts'

const MIB = 1024 * 1024

let database: TestDatabase
let source: Source
beforeAll(async () => {
  database = await TestDatabase.create()
  source = await database.open()
  await database.client.query(`
    CREATE TABLE jump (id int4 PRIMARY KEY, doc text); ALTER TABLE jump ALTER COLUMN doc SET STORAGE EXTERNAL;
    INSERT INTO jump SELECT i, repeat('x', CASE WHEN i BETWEEN 20001 AND 20006 THEN 30000000 ELSE 100 END)
      FROM generate_series(1, 40000) AS i;
    CREATE FUNCTION letters(bytes int4) RETURNS text LANGUAGE plpgsql COST 100000 AS $$ BEGIN RETURN repeat('x', bytes); END $$;
    CREATE VIEW huge AS SELECT i AS id, 'n' || i AS note, CASE WHEN i = 3 THEN letters(600000000) END AS doc
      FROM generate_series(1, 5) AS i;
    CREATE VIEW beyond AS SELECT i AS id, CASE WHEN i = 2 THEN letters(700000000) END AS a,
      CASE WHEN i = 2 THEN letters(700000000) END AS b FROM generate_series(1, 3) AS i`)
})
afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const reportSchema = z.object({ pages: z.array(z.tuple([z.number(), z.number()])), peakKib: z.number() })

test('rows that jump from 100 bytes to 30 MB in the middle take the memory of a few of them', async () => {
  const request = { config: database.config(), table: 'jump', readAheadBytes: 64 * MIB }
  const program = new URL('read-process.ts', import.meta.url).pathname
  const { stdout } = await execa(process.execPath, [program], { input: JSON.stringify(request) })
  const { pages, peakKib } = reportSchema.parse(JSON.parse(stdout))
  expect(pages.reduce((sum, [rows]) => sum + rows, 0)).toBe(40_000)
  expect(pages.filter(([, bytes]) => bytes > 8 * MIB).map(([rows]) => rows)).toEqual([1, 1, 1, 1, 1, 1])
  // After the wide rows, pages have many rows again.
  expect(pages.slice(-3).some(([rows]) => rows > 5_000)).toBe(true)
  expect(peakKib / 1024).toBeLessThan(400)
})

test('a page holds no more than may be read ahead, but for a row that is larger', async () => {
  for (const readAheadBytes of [10_000, 100_000, 1_000_000]) {
    const pages = await pagesOf(source, 'jump', { limits: { readAheadBytes } })
    expect(pages.flatMap((page) => page.rows)).toHaveLength(40_000)
    expect(pages.every((page) => page.rows.length === 1 || (page.bytes ?? 0) <= readAheadBytes)).toBe(true)
  }
})

test('a row beyond the strings of V8 is told by its key, its size and its column, and never held', async () => {
  await using keyed = await database.open({ keys: { huge: ['id'] } })
  const rows: unknown[] = []
  const table = await tableNamed(keyed, 'huge')
  const reading = (async () => {
    for await (const page of keyed.read(requestOf(table))) rows.push(...page.rows)
  })()
  const failure = classify(postgres, await reading.catch((thrown: unknown) => thrown))
  expect(failure).toMatchObject({ class: 'user', code: 'row_too_large' })
  expect(failure.message).toBe(
    'In table huge, the row with id = 3 has 573 MiB as text, most of it in column "doc".',
  )
  expect(failure.remedy).toContain('excludeColumns')
  await using without = await database.open({ keys: { huge: ['id'] }, excludeColumns: { huge: ['doc'] } })
  expect(await rowsOf(without, 'huge')).toHaveLength(5)
})

test('a row beyond what Postgres can write is told as well', async () => {
  const failure = classify(postgres, await pagesOf(source, 'beyond').catch((thrown: unknown) => thrown))
  expect(failure).toMatchObject({ class: 'user', code: 'row_too_large' })
  expect(failure.message).toContain('beyond')
})

test('a fetch asks for what fills a page, however wide the rows were and become', () => {
  const sizer = new FetchSizer({ pageBytes: 1_000_000, readAheadBytes: 4_000_000, rows: 50_000 })
  const observe = (rows: number, bytes: number) => {
    for (let row = 0; row < rows; row += 1) sizer.observe(bytes)
  }
  expect(sizer.nextRows()).toBe(100)
  observe(100, 100)
  expect(sizer.nextRows()).toBe(800)
  observe(800, 100)
  expect(sizer.nextRows()).toBe(6_400)
  observe(6_400, 100)
  expect(sizer.nextRows()).toBe(10_000)
  observe(15, 2_000_000)
  expect(sizer.nextRows()).toBe(2)
  observe(100, 2_000_000)
  expect(sizer.nextRows()).toBe(1)
  observe(1_000, 100)
  expect(sizer.nextRows()).toBe(8)
})

test('the size of a row is known from its header, however the bytes come', () => {
  const message = (letter: string, bytes: number) => {
    const buffer = Buffer.alloc(bytes + 1)
    buffer.write(letter)
    buffer.writeUInt32BE(bytes, 1)
    return buffer
  }
  const stream = Buffer.concat([
    message('T', 30),
    message('D', 4),
    message('D', 100),
    message('C', 13),
    message('D', 900),
  ])
  for (const step of [1, 3, 7, 64, 10_000]) {
    const tooLarge: number[] = []
    const meter = new WireMeter(500, (bytes) => tooLarge.push(bytes))
    for (let at = 0; at < stream.length; at += step) meter.follow(stream.subarray(at, at + step))
    expect([meter.takeRowBytes(), meter.takeRowBytes(), meter.takeRowBytes(), meter.takeRowBytes()]).toEqual([
      4, 100, 900, 0,
    ])
    expect(tooLarge).toEqual([900])
  }
})
