import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { classify } from '../../../../pipeline/sources/errors.ts'
import { postgres } from '../../../../pipeline/sources/postgres/index.ts'
import type { Source } from '../../../../pipeline/sources/source.ts'
import { pagesOf, requestOf, rowsOf, TestDatabase, tableNamed } from './database.ts'
import { TestStaging } from './staging.ts'

let database: TestDatabase
let staging: TestStaging
let source: Source
beforeAll(async () => {
  database = await TestDatabase.create()
  staging = await TestStaging.create()
  source = await database.open()
})
afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await staging[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const NAMES = [
  'plain',
  'Upper Case',
  'with.dot',
  `"; DROP TABLE victims; --`,
  `'; DROP TABLE victims; --`,
  `$$; DROP TABLE victims; $$`,
  'back\\slash',
  '🦆 duck',
  'select',
  '__proto__',
  'constructor',
  'ctid_',
  'ä'.repeat(31),
]

describe.each(NAMES)('a table and a column called %s', (name) => {
  test('are read on both paths, and nothing else happens', async () => {
    const quoted = pg.escapeIdentifier(name)
    await database.client.query(`
      CREATE TABLE IF NOT EXISTS victims ();
      CREATE TABLE ${quoted} (${quoted} text PRIMARY KEY, "other" int4);
      INSERT INTO ${quoted} VALUES ('it''s', 1), ('"quoted" \\', 2), ('x); DROP TABLE victims; --', 3)`)
    const table = await tableNamed(source, name)
    expect(table.primaryKey).toEqual([name])
    const [first] = await pagesOf(source, name, { limits: { pageRows: 1 } })
    const rest = await rowsOf(source, name, { resume: first?.cursor ?? null })
    const rows = [...(first?.rows ?? []), ...rest]
    expect(rows.map((row) => Object.entries(row))).toEqual(
      [
        ['"quoted" \\', 2],
        ["it's", 1],
        ['x); DROP TABLE victims; --', 3],
      ].map(([key, other]) => [
        [name, key],
        ['other', other],
      ]),
    )
    const staged = []
    const parts = await source.stageParts?.(requestOf(table), staging.target(table, { partRows: 2 }))
    for await (const page of parts ?? []) staged.push(page)
    expect(staged).toHaveLength(2)
    const values = (await staging.rowsOf(table, staged)).map((row) => Object.values(row))
    // The rows of a part have no order among them.
    expect(values.toSorted((a, b) => Number(b[1] === '2') - Number(a[1] === '2'))).toEqual(
      rows.map((row) => Object.values(row).map(String)),
    )
    await database.client.query(`SELECT FROM victims`)
  })
})

test('two schemas with the same table names, and dots in them, are told apart', async () => {
  await database.client.query(`
    CREATE SCHEMA a; CREATE SCHEMA "a.b";
    CREATE TABLE a."b.c" (id int4 PRIMARY KEY); INSERT INTO a."b.c" VALUES (1);
    CREATE TABLE "a.b".c (id int4 PRIMARY KEY); INSERT INTO "a.b".c VALUES (2);
    CREATE TABLE a.c (id int4 PRIMARY KEY); INSERT INTO a.c VALUES (3)`)
  await using both = await database.open({ schemas: ['a', 'a.b'] })
  const names = (await both.discover()).map(({ name }) => name)
  expect(names.toSorted((a, b) => a.localeCompare(b))).toEqual(['"a.b".c', 'a."b.c"', 'a.c'])
  const rows = await Promise.all(names.map((name) => rowsOf(both, name)))
  expect(Object.fromEntries(names.map((name, at) => [name, rows[at]?.[0]?.['id']]))).toEqual({
    'a."b.c"': 1,
    '"a.b".c': 2,
    'a.c': 3,
  })
})

test('as many columns as Postgres has are read on both paths', async () => {
  const columns = Array.from({ length: 1_599 }, (_, at) => `c${at} int4 DEFAULT ${at}`)
  await database.client.query(`CREATE TABLE broad (id int4 PRIMARY KEY, ${columns.join(', ')})`)
  await database.client.query(`INSERT INTO broad SELECT generate_series(1, 300)`)
  const table = await tableNamed(source, 'broad')
  expect(table.columns).toHaveLength(1_600)
  const rows = await rowsOf(source, 'broad')
  expect(rows).toHaveLength(300)
  expect(rows[299]).toMatchObject({ id: 300, c0: 0, c1598: 1598 })
  const staged = []
  for await (const page of (await source.stageParts?.(requestOf(table), staging.target(table))) ?? [])
    staged.push(page)
  expect((await staging.rowsOf(table, staged))[299]).toMatchObject({ id: '300', c0: '0', c1598: '1598' })
})

test('a table without columns is not offered', async () => {
  await database.client.query(`CREATE TABLE bare (); INSERT INTO bare DEFAULT VALUES`)
  expect((await source.discover()).map(({ name }) => name)).not.toContain('bare')
})

test('a table that vanishes is the user’s to mend', async () => {
  await database.client.query(`CREATE TABLE gone (id int4 PRIMARY KEY); INSERT INTO gone VALUES (1)`)
  const table = await tableNamed(source, 'gone')
  await database.client.query(`DROP TABLE gone`)
  const error = await failureOf(source.read(requestOf(table)))
  expect(classify(postgres, error)).toMatchObject({ class: 'user', code: 'table_missing' })
  expect(classify(postgres, error).message).toContain('gone')
  const staged = await source
    .stageParts?.(requestOf(table), staging.target(table))
    .catch((thrown: unknown) => thrown)
  expect(classify(postgres, staged)).toMatchObject({ class: 'user', code: 'table_missing' })
})

test.each([
  ['another type', 'ALTER COLUMN n TYPE text', '"n" of table changing was int32 and is string'],
  [
    'another precision',
    'ALTER COLUMN d TYPE numeric(12, 2)',
    '"d" of table changing was decimal(10, 2) and is decimal(12, 2)',
  ],
  ['a new name', 'RENAME COLUMN n TO m', '"n" of table changing was int32 and is gone'],
])('a column that gets %s in the middle is told', async (_, change, told) => {
  await database.client.query(`
    DROP TABLE IF EXISTS changing; CREATE TABLE changing (id int4 PRIMARY KEY, n int4, d numeric(10, 2));
    INSERT INTO changing SELECT i, i, i FROM generate_series(1, 500) AS i`)
  const table = await tableNamed(source, 'changing')
  const [page] = await pagesOf(source, 'changing', { limits: { pageRows: 100 } })
  await database.client.query(`ALTER TABLE changing ${change}`)
  const error = await failureOf(source.read(requestOf(table, { resume: page?.cursor ?? null })))
  expect(classify(postgres, error)).toMatchObject({ class: 'user', code: 'column_changed' })
  expect(classify(postgres, error).message).toContain(told)
})

test('a column that is added in the middle waits for the next run', async () => {
  await database.client.query(
    `CREATE TABLE growing (id int4 PRIMARY KEY); INSERT INTO growing VALUES (1), (2)`,
  )
  const table = await tableNamed(source, 'growing')
  await database.client.query(`ALTER TABLE growing ADD COLUMN extra text DEFAULT 'x'`)
  const rows = []
  for await (const page of source.read(requestOf(table))) rows.push(...page.rows)
  expect(rows).toEqual([{ id: 1 }, { id: 2 }])
})

test('what may not be read is the user’s to mend', async () => {
  await database.client.query(`
    CREATE TABLE secret (id int4 PRIMARY KEY); CREATE ROLE ${database.name}_reader LOGIN PASSWORD 'pw';
    CREATE SCHEMA closed`)
  const access = { user: `${database.name}_reader`, password: 'pw' }
  try {
    await using reader = await database.open(access)
    const table = await tableNamed(reader, 'secret')
    const error = await failureOf(reader.read(requestOf(table)))
    expect(classify(postgres, error)).toMatchObject({ class: 'user', code: 'permission_denied' })
    const staged = await reader
      .stageParts?.(requestOf(table), staging.target(table))
      .catch((thrown: unknown) => thrown)
    expect(classify(postgres, staged)).toMatchObject({ class: 'user', code: 'permission_denied' })
    await using closed = await database.open({ ...access, schemas: ['closed'] })
    await expect(closed.checkCredentials()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  } finally {
    await database.client.query(`DROP ROLE ${database.name}_reader`)
  }
})

test('bytes that are no UTF-8, as a SQL_ASCII database takes them, are told and not replaced', async () => {
  await using ascii = await TestDatabase.create(
    `ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
  )
  await ascii.client.query(`
    CREATE TABLE latin (id int4 PRIMARY KEY, note text, doc json);
    INSERT INTO latin VALUES (1, 'fine ä �', '{"a": "ü"}'), (2, convert_from('\\x66ff6f', 'SQL_ASCII'), NULL)`)
  await using other = await ascii.open({ fetch: { rows: 1 } })
  const rows: unknown[] = []
  const table = await tableNamed(other, 'latin')
  const error = await failureOf(other.read(requestOf(table)), (page) => rows.push(...page.rows))
  expect(rows).toEqual([{ id: 1, note: 'fine ä �', doc: '{"a": "ü"}' }])
  expect(classify(postgres, error)).toMatchObject({ class: 'user', code: 'invalid_utf8' })
  expect(await other.stageParts?.(requestOf(table), staging.target(table))).toBeNull()
})

test('a key that is NULL, or turns NULL, ends the read on both paths', async () => {
  await database.client.query(`
    CREATE VIEW holes AS SELECT NULLIF(i, 3) AS id, i AS n FROM generate_series(1, 5) AS i;
    CREATE TABLE endless (at timestamptz PRIMARY KEY); INSERT INTO endless VALUES ('2024-01-01'), ('infinity')`)
  await using keyed = await database.open({ keys: { holes: ['id'] } })
  const holes = await failureOf(keyed.read(requestOf(await tableNamed(keyed, 'holes'))))
  expect(classify(postgres, holes)).toMatchObject({ class: 'user', code: 'key_null' })
  const table = await tableNamed(source, 'endless')
  expect(classify(postgres, await failureOf(source.read(requestOf(table))))).toMatchObject({
    code: 'key_null',
  })
  const parts = await source.stageParts?.(requestOf(table), staging.target(table))
  expect(classify(postgres, await failureOf(parts ?? []))).toMatchObject({ class: 'user', code: 'key_null' })
})

async function failureOf<T>(
  pages: AsyncIterable<T> | readonly T[],
  onPage: (page: T) => void = () => undefined,
) {
  try {
    for await (const page of pages) onPage(page)
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}
