import { expect, test } from 'vitest'
import type { ColumnSpec, LakeType } from '../../../backends/schema.ts'
import type { TestLake } from './lake.ts'
import type { Cell } from './rows.ts'
import { literalOf, optional, required } from './rows.ts'
import type { TestTable } from './table.ts'

const decimal = (precision: number, scale: number): LakeType => ({ kind: 'decimal', precision, scale })
const list = (element: LakeType): LakeType => ({ kind: 'list', element })
const pair = (a: LakeType, b: LakeType): LakeType => ({
  kind: 'struct',
  fields: [optional('a', a), optional('b', b)],
})
const INT32: LakeType = { kind: 'int32' }
const INT64: LakeType = { kind: 'int64' }
const FLOAT32: LakeType = { kind: 'float32' }
const FLOAT64: LakeType = { kind: 'float64' }

interface Widening {
  readonly name: string
  readonly from: LakeType
  readonly incoming: LakeType
  readonly to: LakeType
  /** The values that are stored, and the same ones in the wider type. */
  readonly stored: readonly Cell[]
  readonly after: readonly Cell[]
  /** Of the wider type alone. */
  readonly added: Cell
}

const same = (...values: readonly Cell[]) => ({ stored: values, after: values })

const WIDENINGS: readonly Widening[] = [
  {
    name: 'bytes',
    from: { kind: 'int8' },
    incoming: { kind: 'int16' },
    to: { kind: 'int16' },
    ...same(-128, 0, 127),
    added: 32_767,
  },
  {
    name: 'integers',
    from: INT32,
    incoming: INT64,
    to: INT64,
    stored: [-2_147_483_648, 5, 2_147_483_647],
    after: ['-2147483648', '5', '2147483647'],
    added: '9223372036854775807',
  },
  {
    name: 'integers to floats',
    from: INT32,
    incoming: FLOAT32,
    to: FLOAT64,
    ...same(-2_147_483_648, 5),
    added: 0.5,
  },
  {
    name: 'integers to decimals',
    from: INT32,
    incoming: decimal(4, 2),
    to: decimal(12, 2),
    stored: [-2_147_483_648, 5],
    after: ['-2147483648.00', '5.00'],
    added: '0.25',
  },
  {
    name: 'long integers to decimals',
    from: INT64,
    incoming: decimal(20, 0),
    to: decimal(20, 0),
    ...same('-9223372036854775808', '5'),
    added: '18446744073709551615',
  },
  {
    name: 'floats',
    from: FLOAT32,
    incoming: FLOAT64,
    to: FLOAT64,
    stored: [1.5, 'NaN', '-Infinity'],
    after: [1.5, 'NaN', '-Infinity'],
    added: 0.1,
  },
  {
    name: 'decimals',
    from: decimal(5, 2),
    incoming: decimal(7, 4),
    to: decimal(7, 4),
    stored: ['-999.99', '5.00'],
    after: ['-999.9900', '5.0000'],
    added: '1.2345',
  },
  {
    name: 'lists',
    from: list(INT32),
    incoming: list(INT64),
    to: list(INT64),
    stored: [[], [1, null]],
    after: [[], ['1', null]],
    added: ['9223372036854775807'],
  },
  {
    name: 'structs',
    from: pair(INT32, FLOAT32),
    incoming: pair(decimal(12, 2), FLOAT64),
    to: pair(decimal(12, 2), FLOAT64),
    stored: [
      { a: 1, b: 0.5 },
      { a: null, b: null },
    ],
    after: [
      { a: '1.00', b: 0.5 },
      { a: null, b: null },
    ],
    added: { a: '1.25', b: 0.1 },
  },
]

const columnsOf = (type: LakeType): readonly ColumnSpec[] => [
  required('id', 'int32'),
  optional('value', type),
]

export function wideningTests(lake: () => TestLake): void {
  test.each(WIDENINGS)(
    'stored $name are read in the wider type, and found by it',
    async ({ from, incoming, to, stored, after, added }) => {
      const table = await lake().createTable({ columns: columnsOf(from), primaryKey: ['id'] })
      const cells = [...stored, null]
      await table.append(cells.map((value, id) => ({ id, value })))
      await table.upsert([{ id: 50, value: stored[0] ?? null }])
      await expectFound(table)
      expect(await table.handle.evolve(columnsOf(incoming))).toEqual({ added: [], widened: ['value'] })
      expect(table.handle.spec.columns).toEqual(columnsOf(to))
      table.model.spec = { ...table.spec, columns: columnsOf(to) }
      table.model.apply('replace', [
        ...[...after, null].map((value, id) => ({ id, value })),
        { id: 50, value: after[0] ?? null },
      ])
      await table.expectStored()

      await table.append([{ id: 100, value: added }])
      await table.upsert([
        { id: 0, value: added },
        { id: 101, value: after[1] ?? null },
      ])
      await table.expectStored()
      await expectFound(table)
      await table.handle.maintain()
      await table.reopen(await lake().connect())
      await expectFound(table)
    },
  )
}

/** What depends on where the files lie, and on how they are divided. */
export function rewritingTests(lake: () => TestLake): void {
  test.each(['id', 'part', null])(
    'a table that is partitioned by %j is widened, key and all, in one commit',
    async (partitionBy) => {
      const narrow = [required('id', 'int32'), optional('part', 'int16'), optional('note', 'json')]
      const wide = [required('id', 'int64'), optional('part', 'int32'), optional('extra', 'bool')]
      const table = await lake().createTable({ columns: narrow, primaryKey: ['id'], partitionBy })
      const row = (id: number) => ({ id, part: id % 3 === 0 ? null : id % 3, note: `{"id":${id}}` })
      await table.append([1, 2, 3, 4].map(row))
      await table.upsert([3, 4, 5, 6].map(row))
      expect(await table.handle.evolve(wide)).toEqual({ added: ['extra'], widened: ['id', 'part'] })
      const columns = [...wide.slice(0, 2), optional('note', 'json'), optional('extra', 'bool')]
      table.model.spec = { ...table.spec, columns }
      table.model.apply('replace', table.model.rows)
      expect(await table.handle.describe()).toMatchObject({ rows: 6, partitionBy, columns })
      await table.expectStored()
      expect(await table.handle.appliedThrough(table.runId)).toBe(1)
      await table.upsert([
        { ...row(5), extra: true },
        { id: '9223372036854775807', part: 70_000, note: null, extra: null },
      ])
      await table.reopen(await lake().connect())
      await table.handle.maintain()
      await table.expectStored()
      expect(await table.handle.evolve(wide)).toEqual({ added: [], widened: [] })
    },
  )

  test('a table without rows is widened, and one that another handle has widened is taken as it is', async () => {
    const table = await lake().createTable({ columns: columnsOf(INT32), primaryKey: ['id'] })
    const other = await (await lake().connect()).open(table.spec)
    expect(await other.evolve(columnsOf(INT64))).toEqual({ added: [], widened: ['value'] })
    await other.close()
    expect(await table.handle.evolve(columnsOf(INT64))).toEqual({ added: [], widened: [] })
    table.model.spec = { ...table.spec, columns: columnsOf(INT64) }
    await table.append([{ id: 1, value: '9223372036854775807' }])
    await table.expectStored()
  })

  test('a reader sees every row while the table is widened', async () => {
    const table = await lake().createTable({ columns: columnsOf(INT32), primaryKey: ['id'] })
    await table.append(Array.from({ length: 200 }, (_, id) => ({ id, value: id })))
    const query = await lake().watch(table.spec)
    const seen: unknown[] = []
    const widening = new AbortController()
    const watching = (async () => {
      while (!widening.signal.aborted)
        seen.push(
          ...(await query((from) => `SELECT count(*) AS n, sum(value)::VARCHAR AS total FROM ${from}`)),
        )
    })()
    for (const type of [INT64, decimal(19, 0), decimal(25, 3)]) await table.handle.evolve(columnsOf(type))
    widening.abort()
    await watching
    const totals = new Set(seen.map((row) => JSON.stringify(row)))
    for (const total of totals)
      expect(['{"n":"200","total":"19900"}', '{"n":"200","total":"19900.000"}']).toContain(total)
  })
}

/** Filters are answered from statistics and by pruning; each must find what a scan of all rows finds. */
async function expectFound(table: TestTable): Promise<void> {
  const type = table.model.spec.columns[1]?.type
  if (type === undefined || type.kind === 'list' || type.kind === 'struct') return
  const query = await table.lake.watch(table.spec)
  const values = await query(
    (from) => `SELECT DISTINCT CAST(value AS VARCHAR) AS text FROM ${from} WHERE value IS NOT NULL`,
  )
  for (const { text: value } of values) {
    for (const operator of ['=', '<=', '>=']) {
      const condition = `value ${operator} ${literalOf(value ?? null, type)}`
      const [found] = await query((from) => `SELECT count(*) AS n FROM ${from} WHERE ${condition}`)
      const [scanned] = await query(
        (from) =>
          `WITH rows AS MATERIALIZED (FROM ${from}) SELECT count(*) FILTER (${condition}) AS n FROM rows`,
      )
      expect([condition, found]).toEqual([condition, scanned])
    }
  }
}
