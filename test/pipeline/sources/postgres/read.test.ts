import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Source } from '../../../../pipeline/sources/source.ts'
import { pagesOf, requestOf, rowsOf, TestDatabase, tableNamed } from './database.ts'

let database: TestDatabase
let source: Source
beforeAll(async () => {
  database = await TestDatabase.create()
  source = await database.open()
  await database.client.query(`
    CREATE TABLE orders (id int8 PRIMARY KEY, note text);
    INSERT INTO orders SELECT i, 'note ' || i FROM generate_series(1, 5000) AS i;
    CREATE TABLE lines (b int4, a text COLLATE "C", note text, PRIMARY KEY (b, a));
    INSERT INTO lines SELECT i / 10, chr(65 + i % 10), repeat('x', i % 7) FROM generate_series(0, 999) AS i;
    CREATE TABLE logs (at timestamptz, line text);
    INSERT INTO logs SELECT now(), 'line ' || i FROM generate_series(1, 3000) AS i;
    CREATE TABLE empty (id int4 PRIMARY KEY);
    CREATE VIEW latest AS SELECT * FROM orders WHERE id > 4000;
    CREATE TABLE changes (id int4 PRIMARY KEY, updated_at timestamptz, note text);
    INSERT INTO changes SELECT i, CASE WHEN i % 10 > 0 THEN '2024-01-01'::timestamptz + (i / 100) * interval '1 day' END, 'n' || i
      FROM generate_series(1, 2000) AS i;
    CREATE INDEX ON changes (updated_at);
    ANALYZE`)
})
afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

test('a table is read in the order of its key', async () => {
  const rows = await rowsOf(source, 'orders')
  expect(rows.map((row) => row['id'])).toEqual(Array.from({ length: 5000 }, (_, at) => BigInt(at + 1)))
  expect(rows[4999]).toEqual({ id: 5000n, note: 'note 5000' })
})

describe.each(['orders', 'lines', 'logs'])('%s', (name) => {
  test('is gone on with from every cursor, by whoever has it', async () => {
    const limits = { pageRows: 230 }
    const pages = await pagesOf(source, name, { limits })
    const all = pages.flatMap((page) => page.rows)
    expect(pages.length).toBeGreaterThan(4)
    for (const [at, { cursor }] of pages.entries()) {
      const before = pages.slice(0, at + 1).flatMap((page) => page.rows)
      const after = await rowsOf(source, name, { limits, resume: structuredClone(cursor) })
      expect([...before, ...after]).toEqual(all)
    }
  })
})

test('an empty table has no page', async () => {
  expect(await pagesOf(source, 'empty')).toEqual([])
})

test('a view without a key is read, but not gone on with', async () => {
  const [first] = await pagesOf(source, 'latest', { limits: { pageRows: 300 } })
  expect(first?.rows).toHaveLength(100)
  await expect(rowsOf(source, 'latest', { resume: first?.cursor ?? null })).rejects.toMatchObject({
    code: 'READ_NOT_RESUMABLE',
  })
})

test('pages are read from one transaction after another where the time of one is over', async () => {
  await using quick = await database.open({ fetch: { transactionSeconds: 1 } })
  const rows = []
  const table = await tableNamed(quick, 'orders')
  for await (const page of quick.read(requestOf(table, { limits: { pageRows: 1000 } }))) {
    rows.push(...page.rows)
    if (rows.length === 100) await new Promise((resolve) => setTimeout(resolve, 1500))
  }
  expect(rows).toEqual(await rowsOf(source, 'orders'))
})

test('an incremental read yields rising values, those without one first and only the first time', async () => {
  const pages = await pagesOf(source, 'changes', { field: 'updated_at', limits: { pageRows: 150 } })
  const values = pages.flatMap((page) => page.rows.map((row) => row['updated_at']))
  expect(values.slice(0, 200)).toEqual(Array.from({ length: 200 }, () => null))
  expect(values.slice(200)).toEqual(values.slice(200).toSorted((a, b) => String(a).localeCompare(String(b))))
  expect(values).toHaveLength(2000)
  const mark = '2024-01-20 00:00:00+00'
  expect(pages.at(-1)?.mark).toBe(mark)
  const again = await rowsOf(source, 'changes', { field: 'updated_at', since: mark })
  expect(again.map((row) => row['id'])).toEqual(
    Array.from({ length: 100 }, (_, at) => 1900 + at).filter((id) => id % 10 > 0),
  )
  for (const [at, { cursor }] of pages.entries()) {
    const after = await rowsOf(source, 'changes', {
      field: 'updated_at',
      resume: cursor,
      limits: { pageRows: 150 },
    })
    expect(after).toEqual(pages.slice(at + 1).flatMap((page) => page.rows))
  }
})

describe('a table without a key', () => {
  const readSome = async () => {
    const pages = await pagesOf(source, 'logs', { limits: { pageRows: 500 } })
    return pages[2]?.cursor ?? null
  }
  test('is gone on with while rows are only added', async () => {
    const resume = await readSome()
    await database.client.query(`INSERT INTO logs VALUES (now(), 'one more')`)
    const lines = (await rowsOf(source, 'logs', { resume })).map((row) => row['line'])
    expect(lines.at(-1)).toBe('one more')
  })

  test.each([
    `UPDATE logs SET line = line || '!' WHERE line = 'line 7'`,
    `DELETE FROM logs WHERE line = 'line 8'`,
    `VACUUM FULL logs`,
    `TRUNCATE logs`,
  ])('is not gone on with after %s', async (change) => {
    const resume = await readSome()
    expect((await rowsOf(source, 'logs', { resume })).length).toBeGreaterThan(0)
    await database.client.query(change)
    // Else the server counts what a session did once that session was idle for a while.
    await database.client.query('SELECT pg_stat_force_next_flush()')
    await expect(rowsOf(source, 'logs', { resume })).rejects.toMatchObject({ code: 'READ_NOT_RESUMABLE' })
  })
})
