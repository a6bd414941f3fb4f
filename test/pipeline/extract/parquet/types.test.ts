import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { LakeType } from '../../../../backends/schema.ts'
import { NestedText } from '../../../../pipeline/extract/types/values.ts'
import { DecimalText } from '../../../../pipeline/sources/source.ts'
import { decimal, optional } from '../columns.ts'
import { Written } from './written.ts'

let written: Written
beforeAll(async () => {
  written = await Written.open()
})
afterAll(async () => {
  await written[Symbol.asyncDispose]()
})

const text = (digits: string) => new DecimalText(digits)

/** Values as sources have them, what DuckDB writes of what it reads, and the type that it reads. */
const MATRIX: readonly [LakeType, string, readonly (readonly [unknown, string | null])[]][] = [
  [
    { kind: 'bool' },
    'BOOLEAN',
    [
      [true, 'true'],
      [false, 'false'],
      ['t', 'true'],
      ['f', 'false'],
      ['TRUE', 'true'],
      [0, 'false'],
      [1, 'true'],
    ],
  ],
  [
    { kind: 'int8' },
    'TINYINT',
    [
      [-128, '-128'],
      [127, '127'],
      ['5', '5'],
    ],
  ],
  [
    { kind: 'int16' },
    'SMALLINT',
    [
      [-32_768, '-32768'],
      [32_767, '32767'],
    ],
  ],
  [
    { kind: 'int32' },
    'INTEGER',
    [
      [-(2 ** 31), '-2147483648'],
      [2 ** 31 - 1, '2147483647'],
      [' 7 ', '7'],
      [3n, '3'],
    ],
  ],
  [
    { kind: 'int64' },
    'BIGINT',
    [
      ['-9223372036854775808', '-9223372036854775808'],
      [2n ** 63n - 1n, '9223372036854775807'],
      [Number.MIN_SAFE_INTEGER, '-9007199254740991'],
      [-1, '-1'],
      [-4_294_967_297, '-4294967297'],
      [2 ** 62, '4611686018427387904'],
      [text('12.00'), '12'],
      [true, '1'],
    ],
  ],
  [
    { kind: 'float32' },
    'FLOAT',
    [
      [1.5, '1.5'],
      ['-0.25', '-0.25'],
      [Number.NaN, null],
      ['Infinity', null],
    ],
  ],
  [
    { kind: 'float64' },
    'DOUBLE',
    [
      [0.1, '0.1'],
      [5e-324, '5e-324'],
      ['1.7976931348623157e308', '1.7976931348623157e+308'],
      [7n, '7.0'],
      [text('2.5'), '2.5'],
      [Number.NEGATIVE_INFINITY, null],
      ['NaN', null],
    ],
  ],
  [
    decimal(38, 10),
    'DECIMAL(38,10)',
    [
      ['9999999999999999999999999999.9999999999', '9999999999999999999999999999.9999999999'],
      [text('-9999999999999999999999999999.9999999999'), '-9999999999999999999999999999.9999999999'],
      [text('1e-10'), '0.0000000001'],
      [text('NaN'), null],
      [-1, '-1.0000000000'],
    ],
  ],
  [
    decimal(18, 2),
    'DECIMAL(18,2)',
    [
      ['9999999999999999.99', '9999999999999999.99'],
      [text('-0.01'), '-0.01'],
      [text('1.500'), '1.50'],
      [0.25, '0.25'],
    ],
  ],
  [
    decimal(9, 0),
    'DECIMAL(9,0)',
    [
      [999_999_999, '999999999'],
      [text('1e3'), '1000'],
    ],
  ],
  [
    decimal(38, 0),
    'DECIMAL(38,0)',
    [
      [10n ** 38n - 1n, '9'.repeat(38)],
      [-(2n ** 64n), '-18446744073709551616'],
    ],
  ],
  [
    { kind: 'date' },
    'DATE',
    [
      ['0001-01-01', '0001-01-01'],
      ['9999-12-31', '9999-12-31'],
      ['2024-02-29', '2024-02-29'],
      [new Date('1969-12-31T23:00:00Z'), '1969-12-31'],
      ['infinity', null],
      ['0044-03-15 BC', null],
      ['10000-01-01', null],
    ],
  ],
  [
    { kind: 'timestamp' },
    'TIMESTAMP',
    [
      ['0001-01-01 00:00:00', '0001-01-01 00:00:00'],
      ['9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999'],
      ['1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999'],
      ['2024-03-31T02:30:00.000001Z', '2024-03-31 02:30:00.000001'],
      ['2024-03-31T02:30:00+05:00', '2024-03-31 02:30:00'],
      ['2024-03-31 24:00:00', '2024-04-01 00:00:00'],
      ['2024-05-06', '2024-05-06 00:00:00'],
      ['-infinity', null],
    ],
  ],
  [
    { kind: 'timestamptz' },
    'TIMESTAMP WITH TIME ZONE',
    [
      [new Date('2024-05-06T07:08:09.123Z'), '2024-05-06 07:08:09.123+00'],
      ['2024-05-06 07:08:09.123456+02', '2024-05-06 05:08:09.123456+00'],
      ['2024-05-06T07:08:09-05:30', '2024-05-06 12:38:09+00'],
      ['1900-01-01 00:00:00+00:53:28', '1899-12-31 23:06:32+00'],
      ['2024-05-06T07:08:09.1234567Z', '2024-05-06 07:08:09.123456+00'],
      [new Date('0001-01-01T00:00:00Z'), '0001-01-01 00:00:00+00'],
      [new Date('9999-12-31T23:59:59.999Z'), '9999-12-31 23:59:59.999+00'],
      [new Date('+010000-01-01T00:00:00Z'), null],
      [new Date(-8_640_000_000_000_000), null],
      [new Date(Number.NaN), null],
    ],
  ],
  [
    { kind: 'string' },
    'VARCHAR',
    [
      ['', ''],
      ['ü–漢字 😀', 'ü–漢字 😀'],
      ['a\ud800b', 'a\ufffdb'],
      [12.5, '12.5'],
      [true, 'true'],
      [10n ** 40n, `1${'0'.repeat(40)}`],
      [text('1.50'), '1.50'],
      [new Date(0), '1970-01-01T00:00:00.000Z'],
      [Buffer.from([0, 255]), '00ff'],
      [new NestedText('{"a":1}', false), '{"a":1}'],
      ['x'.repeat(200_000), 'x'.repeat(200_000)],
    ],
  ],
  [
    { kind: 'json' },
    'VARCHAR',
    [
      ['{"b":  1,\n "a":1.0, "a":2}', '{"b":  1,\n "a":1.0, "a":2}'],
      [{ a: [1n] }, '{"a":["1"]}'],
      [3, '3'],
    ],
  ],
  [
    { kind: 'binary' },
    'BLOB',
    [
      [new Uint8Array([0, 255]), String.raw`\x00\xFF`],
      [String.raw`\x0aff`, String.raw`\x0A\xFF`],
      ['a', 'a'],
      [Buffer.alloc(0), ''],
    ],
  ],
  [
    { kind: 'list', element: { kind: 'int64' } },
    'BIGINT[]',
    [
      [[], '[]'],
      [[1], '[1]'],
      [[1, null, -(2n ** 63n)], '[1, NULL, -9223372036854775808]'],
      [[null], '[NULL]'],
    ],
  ],
  [
    { kind: 'list', element: { kind: 'list', element: { kind: 'string' } } },
    'VARCHAR[][]',
    [
      [[], '[]'],
      [[[]], '[[]]'],
      [[['a', null, ''], [], null], "[[a, NULL, ''], [], NULL]"],
      [[null, ['b']], '[NULL, [b]]'],
    ],
  ],
  [
    {
      kind: 'struct',
      fields: [
        optional('a', 'int32'),
        optional('Mixed Case', 'string'),
        optional('at', { kind: 'list', element: { kind: 'date' } }),
      ],
    },
    'STRUCT(a INTEGER, "Mixed Case" VARCHAR, "at" DATE[])',
    [
      [
        { a: 1, 'Mixed Case': 'x', at: ['2024-05-06', null] },
        "{'a': 1, 'Mixed Case': x, 'at': [2024-05-06, NULL]}",
      ],
      [{ unknown: 1 }, "{'a': NULL, 'Mixed Case': NULL, 'at': NULL}"],
      [{ at: [] }, "{'a': NULL, 'Mixed Case': NULL, 'at': []}"],
    ],
  ],
  [
    {
      kind: 'list',
      element: { kind: 'struct', fields: [optional('k', 'string'), optional('v', decimal(12, 3))] },
    },
    'STRUCT(k VARCHAR, v DECIMAL(12,3))[]',
    [
      [
        [{ k: 'a', v: text('1.5') }, { k: null }, null],
        "[{'k': a, 'v': 1.500}, {'k': NULL, 'v': NULL}, NULL]",
      ],
      [[], '[]'],
    ],
  ],
]

const stored = z.object({ value: z.string().nullable() })

describe('a column of', () => {
  test.each(MATRIX)('%j is read as %s, with the values that went in', async (type, duckDbType, values) => {
    // Between nulls, and a second time in another row group without any.
    const cells = [
      null,
      ...values.flatMap(([value]) => [value, undefined]),
      ...values.map(([value]) => value),
    ]
    const path = await written.write([{ name: 'value', type, cells }], [values.length * 2 + 1, values.length])
    expect(await written.typesOf(path)).toEqual({ value: duckDbType })
    const rows = await written.query(stored, `SELECT value::VARCHAR AS value FROM read_parquet('${path}')`)
    const expected = values.map(([, expectedText]) => expectedText)
    expect(rows.map(({ value }) => value)).toEqual([
      null,
      ...expected.flatMap((value) => [value, null]),
      ...expected,
    ])
  })

  test.each<[LakeType, unknown, string]>([
    [{ kind: 'int8' }, 128, 'is out of range'],
    [{ kind: 'int64' }, '9223372036854775808', 'is out of range'],
    [{ kind: 'int64' }, 2 ** 63, 'is out of range'],
    [{ kind: 'int64' }, 0.5, 'has decimals'],
    [{ kind: 'int32' }, 'abc', 'is no number'],
    [{ kind: 'float64' }, 'abc', 'is no number'],
    [{ kind: 'float64' }, '1e400', 'is out of range'],
    [{ kind: 'float64' }, 2n ** 53n + 1n, 'has more digits than a float64'],
    [{ kind: 'bool' }, 'maybe', 'is a string'],
    [decimal(5, 2), text('1000'), 'has too many digits'],
    [decimal(5, 2), text('0.125'), 'has too many digits'],
    [{ kind: 'date' }, '2024-02-30', 'is a text that is no date'],
    [{ kind: 'timestamptz' }, 'yesterday', 'is a text that is no date'],
    [{ kind: 'timestamp' }, 5, 'is a number'],
    [{ kind: 'list', element: { kind: 'string' } }, 'a', 'is a string'],
    [{ kind: 'struct', fields: [optional('a', 'string')] }, [1], 'is a list'],
  ])('%j refuses %s: it %s', async (type, value, reason) => {
    const failing = written.write([{ name: 'amount', type, cells: [value] }])
    await expect(failing).rejects.toThrow(reason)
    await expect(failing).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      remedy: expect.stringContaining('--column amount=string'),
    })
  })
})

test('text keeps NUL characters, which Postgres does not have but Parquet does', async () => {
  const path = await written.write([
    { name: 'value', type: { kind: 'string' }, cells: ['a\u0000b', '\u0000'] },
  ])
  const lengths = z.object({ bytes: z.string(), second: z.number() })
  const sql = `SELECT octet_length(encode(value)) AS bytes, ascii(substr(value, 2, 1)) AS second FROM read_parquet('${path}')`
  expect(await written.query(lengths, sql)).toEqual([
    { bytes: '3', second: 0 },
    { bytes: '1', second: 0 },
  ])
})

const cell = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 3 })
const jsonArbitrary = fc.array(
  fc.record({
    number: cell(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    text: cell(fc.string({ unit: 'grapheme', maxLength: 300 })),
    tags: cell(fc.array(cell(fc.string({ maxLength: 5 })), { maxLength: 4 })),
    inner: cell(
      fc.record({
        flag: cell(fc.boolean()),
        deep: cell(
          fc.array(fc.array(fc.record({ n: cell(fc.integer()) }), { maxLength: 2 }), { maxLength: 3 }),
        ),
      }),
    ),
  }),
  { minLength: 1, maxLength: 60 },
)

const nestedType: LakeType = {
  kind: 'struct',
  fields: [
    optional('flag', 'bool'),
    optional('deep', {
      kind: 'list',
      element: { kind: 'list', element: { kind: 'struct', fields: [optional('n', 'int32')] } },
    }),
  ],
}

test('any rows come back as they went in, whatever is nested and null in them', async () => {
  await fc.assert(
    fc.asyncProperty(jsonArbitrary, fc.integer({ min: 1, max: 60 }), async (rows, cut) => {
      const path = await written.write(
        [
          { name: 'number', type: { kind: 'int64' }, cells: rows.map(({ number }) => number) },
          { name: 'text', type: { kind: 'string' }, cells: rows.map((row) => row.text) },
          {
            name: 'tags',
            type: { kind: 'list', element: { kind: 'string' } },
            cells: rows.map(({ tags }) => tags),
          },
          { name: 'inner', type: nestedType, cells: rows.map(({ inner }) => inner) },
        ],
        [Math.min(cut, rows.length), Math.max(0, rows.length - cut)].filter((count) => count > 0),
      )
      const read = await written.query(z.record(z.string(), z.unknown()), `FROM read_parquet('${path}')`)
      expect(read).toEqual(
        rows.map((row) => ({ ...row, number: row.number === null ? null : String(row.number) })),
      )
    }),
    { numRuns: 150 },
  )
})
