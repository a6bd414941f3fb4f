import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { classify } from '../../../../pipeline/sources/errors.ts'
import { postgres } from '../../../../pipeline/sources/postgres/index.ts'
import type { PartTarget, Source, StagedPage } from '../../../../pipeline/sources/source.ts'
import { pagesOf, type ReadOptions, requestOf, rowsOf, TestDatabase, tableNamed } from './database.ts'
import { TestStaging } from './staging.ts'

let database: TestDatabase
let staging: TestStaging
let source: Source
beforeAll(async () => {
  database = await TestDatabase.create()
  staging = await TestStaging.create()
  source = await database.open()
  await database.client.query(`
    CREATE TABLE orders (id int8 PRIMARY KEY, note text);
    INSERT INTO orders SELECT i, 'note ' || i FROM generate_series(1, 20000) AS i;
    CREATE TABLE lines (b int4, a text, at timestamptz, note text, PRIMARY KEY (b, a, at));
    INSERT INTO lines SELECT i / 100, chr(65 + i % 10), '2024-01-01'::timestamptz + i * interval '1 us', repeat('ü', i % 7)
      FROM generate_series(0, 9999) AS i;
    CREATE TABLE changes (id int4 PRIMARY KEY, updated_at timestamp, note text);
    INSERT INTO changes SELECT i, CASE WHEN i % 10 > 0 THEN '2024-01-01'::timestamp + (i / 100) * interval '1 day' END, 'n' || i
      FROM generate_series(1, 5000) AS i;
    CREATE INDEX ON changes (updated_at);
    CREATE TABLE tokens (id uuid PRIMARY KEY, n int4);
    INSERT INTO tokens SELECT md5(i::text)::uuid, i FROM generate_series(1, 5000) AS i;
    CREATE TABLE empty (id int4 PRIMARY KEY);
    ANALYZE`)
})
afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await staging[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

async function stagedOf(
  name: string,
  options: ReadOptions = {},
  changes: Partial<PartTarget> = {},
  from = source,
): Promise<readonly StagedPage[] | null> {
  const table = await tableNamed(from, name)
  const staged = await from.stageParts?.(requestOf(table, options), staging.target(table, changes))
  if (staged === null || staged === undefined) return null
  const pages: StagedPage[] = []
  for await (const page of staged) pages.push(page)
  return pages
}

/** The values of a column of some rows, sorted, as texts. */
function sorted(rows: readonly Readonly<Record<string, unknown>>[], column: string): readonly string[] {
  return rows.map((row) => String(row[column])).toSorted((a, b) => a.localeCompare(b))
}

describe.each([
  ['orders', 'id', {}],
  ['lines', 'at', {}],
  ['tokens', 'id', {}],
  ['changes', 'id', { field: 'updated_at' }],
  ['changes', 'id', { field: 'updated_at', since: '2024-02-01 00:00:00' }],
])('%s by %s, %j', (name, column, options) => {
  test('parts and pages go on from each other’s cursors', async () => {
    const table = await tableNamed(source, name)
    const all = sorted(await rowsOf(source, name, options), column)
    const parts = (await stagedOf(name, options, { partRows: 1_700 })) ?? []
    const pages = await pagesOf(source, name, { ...options, limits: { pageRows: 900 } })
    expect(parts.length).toBeGreaterThan(1)
    expect(parts.every(({ part }) => part.rows <= 1_700)).toBe(true)
    for (const at of [0, 1, parts.length - 1]) {
      const before = await staging.rowsOf(table, parts.slice(0, at + 1))
      const after = await rowsOf(source, name, { ...options, resume: parts[at]?.cursor ?? null })
      expect(sorted([...before, ...after], column)).toEqual(all)
    }
    for (const at of [0, 1, pages.length - 1]) {
      const before = pages.slice(0, at + 1).flatMap((page) => page.rows)
      const staged = (await stagedOf(name, { ...options, resume: pages[at]?.cursor ?? null })) ?? []
      expect(sorted([...before, ...(await staging.rowsOf(table, staged))], column)).toEqual(all)
    }
  })
})

test('parts leave the marks that pages leave', async () => {
  const options = { field: 'updated_at' }
  const parts = await stagedOf('changes', options)
  const pages = await pagesOf(source, 'changes', options)
  expect(parts?.at(-1)?.mark).toBe(pages.at(-1)?.mark)
  expect([parts?.at(0)?.mark, pages.at(0)?.mark]).toEqual(['-infinity', '-infinity'])
})

test('an infinite value keeps no later row out', async () => {
  await database.client.query(`
    CREATE TABLE bounds (id int4 PRIMARY KEY, valid_to timestamptz NOT NULL);
    CREATE INDEX ON bounds (valid_to);
    INSERT INTO bounds VALUES (1, '-infinity'), (2, '2024-01-01'), (3, '2024-01-02'), (4, 'infinity'), (5, 'infinity')`)
  const options = { field: 'valid_to' }
  const [part] = (await stagedOf('bounds', options)) ?? []
  const [page] = await pagesOf(source, 'bounds', options)
  expect([part?.mark, page?.mark]).toEqual(['2024-01-02 00:00:00+00', '2024-01-02 00:00:00+00'])
  expect(page?.rows.map((row) => row['valid_to'])).toEqual([
    null,
    '2024-01-01 00:00:00+00',
    '2024-01-02 00:00:00+00',
    null,
    null,
  ])
  const later = await rowsOf(source, 'bounds', { field: 'valid_to', since: '2024-01-02 00:00:00+00' })
  expect(later.map((row) => row['id'])).toEqual([3, 4, 5])
})

test('a part tells its rows, its bytes and about its payload', async () => {
  const [page] = (await stagedOf('orders')) ?? []
  expect(page?.part.rows).toBe(20_000)
  expect(page?.columns).toEqual([
    { name: 'lake_0', type: { kind: 'int64' }, nullable: false },
    { name: 'lake_1', type: { kind: 'string' }, nullable: true },
  ])
  const texts = Array.from({ length: 20_000 }, (_, at) => `note ${at + 1}`.length).reduce((a, b) => a + b)
  const arrow = 20_000 * 8 + texts + 20_000 * 4
  expect(page?.part.payloadBytes).toBeGreaterThanOrEqual(arrow)
  expect(page?.part.payloadBytes).toBeLessThan(arrow * 1.5)
})

test('parts hold no more payload than they may', async () => {
  const parts = (await stagedOf('orders', {}, { partPayloadBytes: 200_000 })) ?? []
  expect(parts.length).toBeGreaterThan(2)
  expect(parts.every(({ part }) => part.payloadBytes <= 200_000)).toBe(true)
  expect(parts.reduce((sum, { part }) => sum + part.rows, 0)).toBe(20_000)
})

test('row groups hold no more than they may, also of rows of some KB', async () => {
  await database.client.query(`
    CREATE TABLE middling (id int4 PRIMARY KEY, doc text);
    INSERT INTO middling SELECT i, (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 100) AS j)
      FROM generate_series(1, 12000) AS i`)
  const rowGroupPayloadBytes = 8 * 1024 * 1024
  const parts = (await stagedOf('middling', {}, { rowGroupPayloadBytes })) ?? []
  expect(parts.reduce((sum, { part }) => sum + part.rows, 0)).toBe(12_000)
  const groups = await staging.rowGroupsOf(parts)
  expect(groups.length).toBeGreaterThan(3)
  expect(Math.max(...groups)).toBeLessThanOrEqual(rowGroupPayloadBytes)
  expect(await stagedOf('middling', {}, { rowGroupPayloadBytes: 2 * 1024 * 1024 })).toBeNull()
})

test('one thread stages what two do', async () => {
  const environment = { ...staging.environment, threads: 1 }
  const parts = (await stagedOf('orders', {}, { environment, partRows: 7_000 })) ?? []
  expect(parts.map(({ part }) => part.rows)).toEqual([7_000, 7_000, 6_000])
})

test('parts go to a folder as well', async () => {
  await using local = await TestStaging.create('local')
  const table = await tableNamed(source, 'orders')
  const staged = []
  for await (const page of (await source.stageParts?.(requestOf(table), local.target(table))) ?? [])
    staged.push(page)
  expect(await local.rowsOf(table, staged)).toHaveLength(20_000)
})

test('an empty table has no part', async () => {
  expect(await stagedOf('empty')).toEqual([])
})

test('a read that was done has no part more', async () => {
  const parts = await stagedOf('orders')
  expect(await stagedOf('orders', { resume: parts?.at(-1)?.cursor ?? null })).toEqual([])
})

test('what has no key, an order without an index or wide rows is read row by row', async () => {
  await database.client.query(`
    CREATE TABLE logs (line text); INSERT INTO logs VALUES ('x');
    CREATE VIEW latest AS SELECT * FROM orders;
    CREATE TABLE wide AS SELECT i AS id, repeat(md5(i::text), 2000) AS doc FROM generate_series(1, 3000) AS i;
    ALTER TABLE wide ADD PRIMARY KEY (id);
    CREATE TABLE unsorted (id int4 PRIMARY KEY, updated_at timestamptz); INSERT INTO unsorted VALUES (1, now())`)
  expect(await stagedOf('logs')).toBeNull()
  expect(await stagedOf('latest')).toBeNull()
  expect(await stagedOf('wide')).toBeNull()
  expect(await stagedOf('unsorted', { field: 'updated_at' })).toBeNull()
  expect(await stagedOf('unsorted')).toHaveLength(1)
  await using slow = await database.open({ fetch: { path: 'rows' } })
  expect(await stagedOf('orders', {}, {}, slow)).toBeNull()
})

test('where rows get wide in the middle, what is staged before stays and the read goes on row by row', async () => {
  await database.client.query(`
    CREATE TABLE widening (id int4 PRIMARY KEY, doc jsonb);
    INSERT INTO widening SELECT i, jsonb_build_object('n', i, 'text', CASE WHEN i BETWEEN 6001 AND 6003 THEN repeat(md5(i::text), 1250000) ELSE 'short' END)
      FROM generate_series(1, 12000) AS i`)
  const table = await tableNamed(source, 'widening')
  const staged: StagedPage[] = []
  const reading = (async () => {
    for await (const page of (await source.stageParts?.(
      requestOf(table),
      staging.target(table, { partRows: 4_000 }),
    )) ?? [])
      staged.push(page)
  })()
  const error = await reading.catch((thrown: unknown) => thrown)
  expect(classify(postgres, error)).toMatchObject({ class: 'source', code: 'rows_widened', retryAfterMs: 0 })
  expect(staged.length).toBeGreaterThan(0)
  const resume = staged.at(-1)?.cursor ?? null
  expect(await source.stageParts?.(requestOf(table, { resume }), staging.target(table))).toBeNull()
  const rest = await rowsOf(source, 'widening', { resume })
  const before = await staging.rowsOf(table, staged)
  const ids = [...before, ...rest].map((row) => Number(row['id'])).toSorted((a, b) => a - b)
  expect(ids).toEqual(Array.from({ length: 12_000 }, (_, at) => at + 1))
})

test('a row that stays is staged once while others come, go and change', async () => {
  await database.client.query(`
    CREATE TABLE busy (id int4 PRIMARY KEY, n int4);
    INSERT INTO busy SELECT i, 0 FROM generate_series(1, 30000, 3) AS i`)
  const table = await tableNamed(source, 'busy')
  const staged = []
  for await (const page of (await source.stageParts?.(
    requestOf(table),
    staging.target(table, { partRows: 1_500 }),
  )) ?? []) {
    staged.push(page)
    const from = staged.length * 700
    await database.client.query(`
      UPDATE busy SET n = n + 1;
      DELETE FROM busy WHERE id % 3 = 2 AND id < ${from};
      INSERT INTO busy SELECT i, 1 FROM generate_series(2, 30000, 300) AS i ON CONFLICT DO NOTHING`)
  }
  const rows = await staging.rowsOf(table, staged)
  const ids = rows.map((row) => Number(row['id']))
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.filter((id) => id % 3 === 1)).toHaveLength(10_000)
})
