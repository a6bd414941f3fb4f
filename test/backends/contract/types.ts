import { expect, test } from 'vitest'
import type { LakeType } from '../../../backends/schema.ts'
import type { TestLake } from './lake.ts'
import type { Cell } from './rows.ts'
import { optional, required } from './rows.ts'

const decimal = (precision: number, scale: number): LakeType => ({ kind: 'decimal', precision, scale })
const NESTED: LakeType = {
  kind: 'struct',
  fields: [
    optional('a', 'int32'),
    optional('Mixed Case', 'string'),
    optional('inner', {
      kind: 'struct',
      fields: [optional('days', { kind: 'list', element: { kind: 'date' } })],
    }),
  ],
}

/** Each type with its edges, apart from NULL, which every column is tried with. */
const EDGES: readonly { readonly name: string; readonly type: LakeType; readonly values: readonly Cell[] }[] =
  [
    { name: 'bool', type: { kind: 'bool' }, values: [true, false] },
    { name: 'int8', type: { kind: 'int8' }, values: [-128, 127, 0] },
    { name: 'int16', type: { kind: 'int16' }, values: [-32_768, 32_767] },
    { name: 'int32', type: { kind: 'int32' }, values: [-2_147_483_648, 2_147_483_647] },
    {
      name: 'int64',
      type: { kind: 'int64' },
      values: ['-9223372036854775808', '9223372036854775807', '9007199254740993'],
    },
    { name: 'float32', type: { kind: 'float32' }, values: [1.5, 'NaN', 'Infinity', '-Infinity', -0.25] },
    {
      name: 'float64',
      type: { kind: 'float64' },
      values: [0.1, 5e-324, 1.7976931348623157e308, 'NaN', 'Infinity', '-Infinity'],
    },
    {
      name: 'decimal(38,10)',
      type: decimal(38, 10),
      values: [
        '9999999999999999999999999999.9999999999',
        '-9999999999999999999999999999.9999999999',
        '0.0000000001',
      ],
    },
    { name: 'decimal(9,2)', type: decimal(9, 2), values: ['9999999.99', '-9999999.99', '0.00'] },
    { name: 'decimal(38,0)', type: decimal(38, 0), values: ['99999999999999999999999999999999999999', '-1'] },
    {
      name: 'date',
      type: { kind: 'date' },
      values: ['0001-01-01', '9999-12-31', '1970-01-01', '2024-02-29'],
    },
    {
      name: 'timestamp',
      type: { kind: 'timestamp' },
      values: [
        '0001-01-01 00:00:00',
        '9999-12-31 23:59:59.999999',
        '2024-03-31 02:30:00.000001',
        '1969-12-31 23:59:59.999999',
      ],
    },
    {
      name: 'timestamptz',
      type: { kind: 'timestamptz' },
      values: [
        '0001-01-01 00:00:00+00',
        '9999-12-31 23:59:59.999999+00',
        '2024-03-31 02:30:00.000001+00',
        '1969-12-31 23:59:59.999999+00',
      ],
    },
    {
      name: 'string',
      type: { kind: 'string' },
      values: ['', ' ', 'NULL', 'it\'s "quoted" \\ \n\t', 'ü–漢字 😀', 'x'.repeat(10_000)],
    },
    {
      name: 'json',
      type: { kind: 'json' },
      values: ['{"b":  1,\n "a":1.0, "a":2}', 'null', '"\\u00e9"', '[1e400, 12345678901234567890123]', ''],
    },
    { name: 'binary', type: { kind: 'binary' }, values: ['', '01', 'FF80FE', 'C3A9275C'] },
    {
      name: 'list',
      type: { kind: 'list', element: { kind: 'int64' } },
      values: [[], ['1'], ['1', null, '-9223372036854775808'], [null]],
    },
    {
      name: 'list of lists',
      type: { kind: 'list', element: { kind: 'list', element: { kind: 'string' } } },
      values: [[], [[]], [['a', null, ''], [], null]],
    },
    {
      name: 'struct',
      type: NESTED,
      values: [
        { a: 1, 'Mixed Case': 'x', inner: { days: ['0001-01-01', null] } },
        { a: null, 'Mixed Case': '', inner: { days: [] } },
        { a: null, 'Mixed Case': null, inner: { days: null } },
        { a: 2, 'Mixed Case': 'y', inner: null },
      ],
    },
    {
      name: 'list of structs',
      type: {
        kind: 'list',
        element: { kind: 'struct', fields: [optional('k', 'string'), optional('v', decimal(12, 3))] },
      },
      values: [[], [{ k: 'a', v: '1.500' }, { k: null, v: null }, null]],
    },
  ]

const WIDENED: readonly {
  readonly source: string
  readonly target: LakeType
  readonly values: readonly Cell[]
}[] = [
  { source: 'UTINYINT', target: { kind: 'int16' }, values: [0, 255] },
  { source: 'USMALLINT', target: { kind: 'int32' }, values: [0, 65_535] },
  { source: 'UINTEGER', target: { kind: 'int64' }, values: ['0', '4294967295'] },
  { source: 'UBIGINT', target: decimal(20, 0), values: ['0', '18446744073709551615'] },
  { source: 'INTEGER', target: { kind: 'int64' }, values: ['-2147483648', '2147483647'] },
  { source: 'TINYINT', target: { kind: 'int32' }, values: [-128, 127] },
  { source: 'FLOAT', target: { kind: 'float64' }, values: [1.5, 'NaN', '-Infinity'] },
]

export function typeTests(lake: () => TestLake): void {
  test.each(EDGES)('$name keeps its edge values and tells NULL from them', async ({ type, values }) => {
    const table = await lake().createTable({
      columns: [required('id', 'int32'), optional('value', type)],
      primaryKey: ['id'],
    })
    const cells = [...values, null]
    await table.append(cells.map((value, id) => ({ id, value })))
    await table.expectStored()
    await table.upsert(
      cells.toReversed().map((value, id) => ({ id, value })),
      [{ id: 100, value: cells[0] ?? null }],
    )
    await table.expectStored()
    await table.reopen()
    expect((await table.handle.describe()).rows).toBe(cells.length + 1)
  })

  test.each(WIDENED)(
    '$source of a part is stored as the wider $target.kind',
    async ({ source, target, values }) => {
      const table = await lake().createTable({
        columns: [required('id', 'int32'), optional('value', target)],
        primaryKey: ['id'],
      })
      const types = { value: source }
      await table.append({ rows: values.map((value, id) => ({ id, value })), types })
      await table.upsert({ rows: values.toReversed().map((value, id) => ({ id, value })), types }, [
        { id: 9, value: values[0] ?? null },
      ])
      await table.expectStored()
    },
  )

  test('names of columns are kept, whatever they hold', async () => {
    const names = ['Upper Case', 'select', "it's", 'a.b', 'a-b', 'ünïcode', '1st']
    const columns = [required('id', 'int32'), ...names.map((name) => optional(name, 'string'))]
    const table = await lake().createTable({ columns, primaryKey: ['id'] })
    const row = (id: number, value: string) => ({
      id,
      ...Object.fromEntries(names.map((name) => [name, `${value} ${name}`])),
    })
    await table.append([row(1, 'a'), row(2, 'b')])
    await table.upsert([row(2, 'B'), row(3, 'c')])
    await table.expectStored()
  })
}
