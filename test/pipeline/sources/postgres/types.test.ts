import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { DecimalText, type Row, type Source, type SourceTable } from '../../../../pipeline/sources/source.ts'
import { requestOf, rowsOf, TestDatabase, tableNamed } from './database.ts'
import { TestStaging } from './staging.ts'

let database: TestDatabase
let staging: TestStaging
let source: Source
beforeAll(async () => {
  database = await TestDatabase.create()
  staging = await TestStaging.create()
  source = await database.open()
  await database.client.query(`
    CREATE SCHEMA other;
    CREATE TYPE other.mood AS ENUM ('glad', 'so "so"', 'süß');
    CREATE TYPE pair AS (a int4, b text);
    CREATE DOMAIN price AS numeric(10, 2) CHECK (value > -1000);
    CREATE DOMAIN cheap AS price;
    CREATE DOMAIN tags AS text[]`)
})
afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await staging[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

interface Column {
  readonly sql: string
  readonly type: string
  /** SQL literals, and the value that both paths yield: as text, bytes in hexadecimal. */
  readonly values: readonly (readonly [sql: string, expected: string | null])[]
}

const COLUMNS: Readonly<Record<string, Column>> = {
  small: {
    sql: 'int2',
    type: 'int16',
    values: [
      ['-32768', '-32768'],
      ['32767', '32767'],
    ],
  },
  whole: {
    sql: 'int4',
    type: 'int32',
    values: [
      ['-2147483648', '-2147483648'],
      ['2147483647', '2147483647'],
    ],
  },
  large: {
    sql: 'int8',
    type: 'int64',
    values: [
      ['-9223372036854775808', '-9223372036854775808'],
      ['9007199254740993', '9007199254740993'],
      ['9223372036854775807', '9223372036854775807'],
    ],
  },
  object_id: { sql: 'oid', type: 'int64', values: [['4294967295', '4294967295']] },
  wide_decimal: {
    sql: 'numeric(38, 10)',
    type: 'decimal(38, 10)',
    values: [
      ['9999999999999999999999999999.9999999999', '9999999999999999999999999999.9999999999'],
      ['-9999999999999999999999999999.9999999999', '-9999999999999999999999999999.9999999999'],
      ['0.0000000001', '0.0000000001'],
      ["'NaN'", null],
    ],
  },
  money_like: {
    sql: 'numeric(18, 4)',
    type: 'decimal(18, 4)',
    values: [
      ['-12.5', '-12.5000'],
      ["'NaN'", null],
      ['99999999999999.9999', '99999999999999.9999'],
    ],
  },
  tiny_decimal: {
    sql: 'numeric(4, 1)',
    type: 'decimal(4, 1)',
    values: [
      ['999.9', '999.9'],
      ['-0.1', '-0.1'],
    ],
  },
  digits: {
    sql: 'numeric(38, 0)',
    type: 'decimal(38, 0)',
    values: [['99999999999999999999999999999999999999', '99999999999999999999999999999999999999']],
  },
  rounded: {
    sql: 'numeric(5, -2)',
    type: 'decimal(7, 0)',
    values: [
      ['9999949', '9999900'],
      ['-50', '-100'],
    ],
  },
  fraction: { sql: 'numeric(3, 5)', type: 'decimal(5, 5)', values: [['0.00123', '0.00123']] },
  too_wide: {
    sql: 'numeric(40, 2)',
    type: 'string',
    values: [
      ['12345678901234567890123456789012345678.25', '12345678901234567890123456789012345678.25'],
      ["'NaN'", null],
    ],
  },
  free: {
    sql: 'numeric',
    type: 'string',
    values: [
      ['1.50', '1.50'],
      ['1e50', `1${'0'.repeat(50)}`],
      ["'NaN'", null],
      ["'Infinity'", null],
      ["'-Infinity'", null],
    ],
  },
  cost: {
    sql: 'cheap',
    type: 'decimal(10, 2)',
    values: [
      ['12.34', '12.34'],
      ["'NaN'", null],
    ],
  },
  single: {
    sql: 'float4',
    type: 'float32',
    values: [
      ['3.14', '3.14'],
      ['-0.1', '-0.1'],
      ["'NaN'", null],
      ["'Infinity'", null],
    ],
  },
  double: {
    sql: 'float8',
    type: 'float64',
    values: [
      ['0.1', '0.1'],
      ['1e300', '1e+300'],
      ["'-Infinity'", null],
      ['123456789.123456789', '123456789.12345679'],
    ],
  },
  flag: {
    sql: 'bool',
    type: 'bool',
    values: [
      ['true', 'true'],
      ['false', 'false'],
    ],
  },
  note: {
    sql: 'text',
    type: 'string',
    values: [
      ["''", ''],
      ['\'naïve 🦆 漢字 "quoted" back\\slash\'', 'naïve 🦆 漢字 "quoted" back\\slash'],
      ["E'tab\\tnew\\nline\\u0001'", 'tab\tnew\nline\u0001'],
    ],
  },
  short: { sql: 'varchar(3)', type: 'string', values: [["'äöü'", 'äöü']] },
  padded: {
    sql: 'char(6)',
    type: 'string',
    values: [
      ["'ab'", 'ab'],
      ["' a b'", ' a b'],
    ],
  },
  letter: { sql: '"char"', type: 'string', values: [["'x'", 'x']] },
  label: { sql: 'name', type: 'string', values: [["'some_name'", 'some_name']] },
  token: {
    sql: 'uuid',
    type: 'string',
    values: [
      ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
      ["'ffffffff-ffff-ffff-ffff-ffffffffffff'", 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    ],
  },
  document: {
    sql: 'json',
    type: 'json',
    values: [
      [
        `'{"b": 1,  "a": [1.0, null], "a": 12345678901234567890}'`,
        '{"b": 1,  "a": [1.0, null], "a": 12345678901234567890}',
      ],
    ],
  },
  binary_document: {
    sql: 'jsonb',
    type: 'json',
    values: [
      [`'{"b": 1, "a": [1.0, "\\u00e4"]}'`, '{"a": [1.0, "ä"], "b": 1}'],
      [`'null'`, 'null'],
    ],
  },
  bytes: {
    sql: 'bytea',
    type: 'binary',
    values: [
      ["'\\x'", ''],
      ["'\\x00ff10'", '00FF10'],
    ],
  },
  day: {
    sql: 'date',
    type: 'date',
    values: [
      ["'2024-02-29'", '2024-02-29'],
      ["'0001-01-01'", '0001-01-01'],
      ["'9999-12-31'", '9999-12-31'],
      ["'10000-01-01'", null],
      ["'0044-03-15 BC'", null],
      ["'infinity'", null],
      ["'-infinity'", null],
      ["'5874897-12-31'", null],
    ],
  },
  moment: {
    sql: 'timestamp',
    type: 'timestamp',
    values: [
      ["'2024-02-29 12:34:56.123456'", '2024-02-29 12:34:56.123456'],
      ["'1969-12-31 23:59:59.999999'", '1969-12-31 23:59:59.999999'],
      ["'0001-01-01'", '0001-01-01 00:00:00'],
      ["'9999-12-31 23:59:59.999999'", '9999-12-31 23:59:59.999999'],
      ["'294276-12-31'", null],
      ["'4713-01-01 BC'", null],
      ["'infinity'", null],
    ],
  },
  instant: {
    sql: 'timestamptz',
    type: 'timestamptz',
    values: [
      ["'2024-07-01 12:00:00.5+02:30'", '2024-07-01 09:30:00.5+00'],
      ["'0001-01-01 00:00:00+00'", '0001-01-01 00:00:00+00'],
      ["'0001-01-01 00:00:00+01'", null],
      ["'9999-12-31 23:59:59.999999-00'", '9999-12-31 23:59:59.999999+00'],
      ["'9999-12-31 23:59:59.999999-01'", null],
      ["'-infinity'", null],
    ],
  },
  clock: {
    sql: 'time',
    type: 'string',
    values: [
      ["'24:00:00'", '24:00:00'],
      ["'12:34:56.789'", '12:34:56.789'],
    ],
  },
  zoned_clock: { sql: 'timetz', type: 'string', values: [["'12:00:00+05:30'", '12:00:00+05:30']] },
  span: {
    sql: 'interval',
    type: 'string',
    values: [
      ["'1 year 2 mons 3 days 04:05:06.7'", '1 year 2 mons 3 days 04:05:06.7'],
      ["'-1 day'", '-1 days'],
    ],
  },
  numbers: {
    sql: 'int8[]',
    type: 'json',
    values: [
      ["'{1,NULL,9007199254740993}'", '[1,null,9007199254740993]'],
      ["'{{1,2},{3,4}}'", '[[1,2],[3,4]]'],
      ["'{}'", '[]'],
    ],
  },
  texts: { sql: 'tags', type: 'json', values: [[`ARRAY['a "b"', 'ü']`, '["a \\"b\\"","ü"]']] },
  instants: {
    sql: 'timestamptz[]',
    type: 'json',
    values: [["ARRAY['2024-07-01 12:00:00+02'::timestamptz]", '["2024-07-01T10:00:00+00:00"]']],
  },
  composite: { sql: 'pair', type: 'json', values: [[`ROW(1, 'x "y"')::pair`, '{"a":1,"b":"x \\"y\\""}']] },
  mood: {
    sql: 'other.mood',
    type: 'string',
    values: [
      ["'süß'", 'süß'],
      [`'so "so"'`, 'so "so"'],
    ],
  },
  moods: { sql: 'other.mood[]', type: 'json', values: [["ARRAY['glad']::other.mood[]", '["glad"]']] },
  between: { sql: 'int4range', type: 'string', values: [["'[1,5]'", '[1,6)']] },
  betweens: {
    sql: 'datemultirange',
    type: 'string',
    values: [["'{[2024-01-01,2024-02-01)}'", '{[2024-01-01,2024-02-01)}']],
  },
  place: { sql: 'point', type: 'string', values: [["'(1.5,-2)'", '(1.5,-2)']] },
  area: { sql: 'polygon', type: 'string', values: [["'((0,0),(1,1),(1,0))'", '((0,0),(1,1),(1,0))']] },
  host: {
    sql: 'inet',
    type: 'string',
    values: [
      ["'10.0.0.1'", '10.0.0.1'],
      ["'::1/64'", '::1/64'],
    ],
  },
  net: { sql: 'cidr', type: 'string', values: [["'10.0.0.0/8'", '10.0.0.0/8']] },
  flags: { sql: 'bit(5)', type: 'string', values: [["'10110'", '10110']] },
  words: { sql: 'tsvector', type: 'string', values: [["'a b a'", "'a' 'b'"]] },
  markup: { sql: 'text COLLATE "C"', type: 'string', values: [["'<a/>'", '<a/>']] },
}

/** Each value in a row of its own, among NULLs. */
async function fill(): Promise<void> {
  const names = Object.keys(COLUMNS)
  await database.client.query(
    `CREATE TABLE everything (id int4 PRIMARY KEY, ${names.map((name) => `${name} ${COLUMNS[name]?.sql}`).join(', ')})`,
  )
  const inserts = Object.entries(COLUMNS).flatMap(([name, { sql, values }]) =>
    values.map(([value]) => `(${name}) VALUES ((${value})::${sql.replace(/ COLLATE.*/, '')})`),
  )
  for (const [at, insert] of inserts.entries())
    await database.client.query(
      `INSERT INTO everything ${insert.replace('(', '(id, ').replace('((', `(${at}, (`)}`,
    )
}

test('rows and parts hold the same values of every type, and those that are expected', async () => {
  await fill()
  const table = await tableNamed(source, 'everything')
  expect(table.columns?.slice(1).map(typeName)).toEqual(Object.values(COLUMNS).map(({ type }) => type))
  const expected = expectedRows()
  const rows = await rowsOf(source, 'everything')
  expect(rows.map(asTexts)).toEqual(expected)
  const parts = await partsOf(table)
  expect((await staging.rowsOf(table, parts)).map((row) => ({ ...row, ...sameNumbers(row) }))).toEqual(
    expected,
  )
})

async function partsOf(table: SourceTable) {
  const pages = []
  for await (const page of (await source.stageParts?.(requestOf(table), staging.target(table))) ?? [])
    pages.push(page)
  return pages
}

function expectedRows(): readonly Readonly<Record<string, string | null>>[] {
  const empty = Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, null]))
  return Object.entries(COLUMNS)
    .flatMap(([name, { values }]) => values.map(([, value]) => ({ ...empty, [name]: value })))
    .map((row, at) => ({ id: String(at), ...row }))
}

function asTexts(row: Row): Readonly<Record<string, string | null>> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asText(value)]))
}

function asText(value: unknown): string | null {
  if (value === null) return null
  if (value instanceof DecimalText) return value.text
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex').toUpperCase()
  return typeof value === 'string' ? value : `${z.union([z.number(), z.bigint(), z.boolean()]).parse(value)}`
}

/** DuckDB writes some floats in another way, and no zero before a point that nothing else can stand before. */
function sameNumbers(row: Readonly<Record<string, string | null>>): Readonly<Record<string, string | null>> {
  const { single = null, double = null, fraction = null } = row
  return {
    single: single === null ? null : String(Number(single)),
    double: double === null ? null : String(Number(double)),
    fraction: fraction?.replace(/^\./, '0.') ?? null,
  }
}

function typeName({ type }: NonNullable<SourceTable['columns']>[number]): string {
  if (type === null) return 'unknown'
  return type.kind === 'decimal' ? `decimal(${type.precision}, ${type.scale})` : type.kind
}
