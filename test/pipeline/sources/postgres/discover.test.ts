import { afterAll, beforeAll, expect, test } from 'vitest'
import { postgres } from '../../../../pipeline/sources/postgres/index.ts'
import type { Source, SourceTable } from '../../../../pipeline/sources/source.ts'
import { rowsOf, TestDatabase, tableNamed } from './database.ts'

let database: TestDatabase
let source: Source
beforeAll(async () => {
  database = await TestDatabase.create()
  source = await database.open()
  await database.client.query(`
    CREATE TABLE orders (id int8 PRIMARY KEY, made_on date, created_at timestamptz NOT NULL, updated_at timestamptz, seq int4, note text NOT NULL);
    CREATE INDEX ON orders (updated_at);
    INSERT INTO orders SELECT i, NULL, now(), now(), i, 'x' FROM generate_series(1, 1000) AS i;
    CREATE TABLE codes (a text NOT NULL, b text NOT NULL, c text, d int4 NOT NULL);
    CREATE UNIQUE INDEX ON codes (c); CREATE UNIQUE INDEX ON codes (b, a); CREATE UNIQUE INDEX ON codes (d) WHERE d > 0;
    CREATE UNIQUE INDEX ON codes (lower(a));
    CREATE TABLE parted (id int4 NOT NULL, at date NOT NULL, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
    CREATE TABLE parted_2024 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE parted_2025 PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO parted SELECT i, '2024-06-01'::date + i FROM generate_series(1, 500) AS i;
    CREATE TABLE animals (id int4 PRIMARY KEY); CREATE TABLE ducks (PRIMARY KEY (id)) INHERITS (animals);
    INSERT INTO animals VALUES (1); INSERT INTO ducks VALUES (1);
    CREATE VIEW recent AS SELECT * FROM orders WHERE id > 900;
    CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM orders;
    CREATE TABLE bounds (id int4 PRIMARY KEY, at timestamptz NOT NULL, ratio float8 NOT NULL, n int4 NOT NULL);
    CREATE SEQUENCE counter; CREATE TABLE fresh (id int4 PRIMARY KEY);
    CREATE SCHEMA hidden; CREATE TABLE hidden.unseen (id int4 PRIMARY KEY);
    ANALYZE orders, parted, animals, ducks, totals`)
})
afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const named = (name: string): Promise<SourceTable> => tableNamed(source, name)

test('tables, views and the parents of partitions are offered, and the partitions are not', async () => {
  const names = (await source.discover()).map(({ name }) => name)
  expect(names).toEqual([
    'animals',
    'bounds',
    'codes',
    'ducks',
    'fresh',
    'orders',
    'parted',
    'recent',
    'totals',
  ])
})

test('a partition is offered where it is asked for by its name', async () => {
  await using one = await database.open({ tables: ['parted_2024', 'orders'] })
  expect((await one.discover()).map(({ name }) => name)).toEqual(['orders', 'parted_2024'])
  expect(await rowsOf(one, 'parted_2024')).toHaveLength(213)
})

test('the key is the primary key, or the smallest unique index without NULLs and conditions', async () => {
  expect((await named('orders')).primaryKey).toEqual(['id'])
  expect((await named('codes')).primaryKey).toEqual(['b', 'a'])
  expect((await named('parted')).primaryKey).toEqual(['at', 'id'])
  expect((await named('recent')).primaryKey).toEqual([])
})

test('a key that the rows of heirs are outside of is none', async () => {
  const animals = await named('animals')
  expect([animals.primaryKey, animals.keysOnce]).toEqual([[], false])
  expect(await rowsOf(source, 'animals')).toEqual([{ id: 1 }, { id: 1 }])
})

test('the rows of all partitions come in the order of the key', async () => {
  const rows = await rowsOf(source, 'parted', { limits: { pageRows: 70 } })
  expect(rows.map((row) => row['id'])).toEqual(Array.from({ length: 500 }, (_, at) => at + 1))
})

test('fields that a table can be read by incrementally come with the best one first', async () => {
  expect((await named('orders')).incremental).toEqual(
    ['updated_at', 'id', 'made_on', 'created_at'].map((name) => ({ name, order: 'ascending' })),
  )
  expect((await named('recent')).incremental.map(({ name }) => name)).toEqual([
    'updated_at',
    'made_on',
    'created_at',
  ])
  expect((await named('codes')).incremental).toEqual([])
})

test('partitioning is hinted at by when a row was made, else by its key', async () => {
  expect((await named('orders')).partition).toEqual({ mode: 'datetime', columns: ['created_at'] })
  expect((await named('fresh')).partition).toEqual({ mode: 'numerical', columns: ['id'] })
  expect((await named('codes')).partition).toEqual({ mode: 'md5', columns: ['b', 'a'] })
  expect((await named('totals')).partition).toBeNull()
})

test('rows are estimated where Postgres has counted', async () => {
  expect((await named('orders')).estimatedRows).toBe(1_000)
  expect((await named('parted')).estimatedRows).toBe(500)
  expect((await named('fresh')).estimatedRows).toBeNull()
})

test('a column whose values may turn null is nullable, unless it is of the key', async () => {
  const nullable = ({ columns }: SourceTable) => columns?.map((column) => `${column.name} ${column.nullable}`)
  expect(nullable(await named('bounds'))).toEqual(['id false', 'at true', 'ratio true', 'n false'])
  expect(nullable(await named('parted'))).toEqual(['id false', 'at false'])
})

test('columns are left out and keys are given by the settings', async () => {
  await using own = await database.open({
    keys: { recent: ['id'] },
    excludeColumns: { recent: ['note', 'made_on'] },
  })
  const recent = await tableNamed(own, 'recent')
  expect([recent.primaryKey, recent.keysOnce]).toEqual([['id'], true])
  expect(Object.keys((await rowsOf(own, 'recent'))[0] ?? {})).toEqual([
    'id',
    'created_at',
    'updated_at',
    'seq',
  ])
})

test('a url configures as the single settings do, which come before it', async () => {
  const { host, port, user, password, database: name } = postgres.config.parse(database.config())
  const encoded = [user, password].map((text) => encodeURIComponent(text))
  const url = `postgres://${encoded.join(':')}@${host}:${port}/${name}?sslmode=disable`
  await using whole = await postgres.open(postgres.config.parse({ url }))
  expect(await rowsOf(whole, 'totals')).toEqual([{ n: 1000n }])
  await using mixed = await postgres.open(
    postgres.config.parse({ url: `postgres://x:y@${host}:1/z`, user, password, port, database: name }),
  )
  await mixed.checkCredentials()
  expect(postgres.config.safeParse({}).error?.issues[0]?.message).toContain('url')
  expect(postgres.config.safeParse({ url: `${url}x` }).error?.issues[0]?.message).toContain('sslmode')
})
