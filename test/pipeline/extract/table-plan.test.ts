import { describe, expect, test } from 'vitest'
import type { ColumnSpec } from '../../../backends/schema.ts'
import { arrowRows } from '../../../pipeline/extract/staging/arrow-batch.ts'
import { TextRoom } from '../../../pipeline/extract/staging/layout.ts'
import { mergeColumns } from '../../../pipeline/extract/types/settle.ts'
import { DecimalText, type SourceColumn } from '../../../pipeline/sources/source.ts'
import type { PartitionSpec } from '../../../pipeline/state/model.ts'
import { decimal, optional, planOf, SOURCE_TABLE, settle } from './columns.ts'

const PARTITION: ColumnSpec = { name: 'lakeduel_partition', type: { kind: 'string' }, nullable: false }
const declared = (...columns: readonly SourceColumn[]) => ({ ...SOURCE_TABLE, columns })
const mismatch = (facts: object) =>
  expect.objectContaining({ code: 'SCHEMA_MISMATCH', facts: expect.objectContaining(facts) })

describe('the columns of a new table', () => {
  test('are the declared ones, in their order and under their names', () => {
    const table = declared(
      { name: 'userId', type: { kind: 'int32' }, nullable: false },
      { name: 'Any Thing', type: null, nullable: true },
    )
    const plan = planOf({ table })
    expect(plan.columns).toEqual([{ name: 'user_id', type: { kind: 'int32' }, nullable: false }])
    expect(plan.isDeclared).toBe(false)
    settle(plan, [{ userId: 1, 'Any Thing': 0.5 }])
    expect(plan.columns.slice(1)).toEqual([optional('any_thing', 'float64')])
    expect(plan.lakeName('Any Thing')).toBe('any_thing')
  })

  test('may have types that the user chose, which rank above the declared ones', () => {
    const table = declared({ name: 'price', type: { kind: 'int32' }, nullable: false })
    const plan = planOf({ table, columnTypes: { price: decimal(10, 2), zip: { kind: 'string' } } })
    const [price, zip] = settle(plan, [{ price: new DecimalText('9.99'), zip: 1234 }])
    expect(price).toMatchObject({ name: 'price', type: decimal(10, 2), nullable: false })
    expect(zip).toMatchObject(optional('zip', 'string'))
  })

  test('may be called like what every object of JavaScript has', () => {
    const plan = planOf()
    settle(plan, [JSON.parse('{"constructor": 1, "__proto__": "a", "hasOwnProperty": [1]}')])
    expect(plan.columns).toEqual([
      optional('constructor', 'int64'),
      optional('_protoxx', 'string'),
      optional('has_own_property', 'json'),
    ])
  })

  test('come after those that are known, and may be null in rows that were stored before', () => {
    const plan = planOf({
      known: [optional('id', 'int64')],
      table: declared({ name: 'new', type: { kind: 'bool' }, nullable: false }),
    })
    expect(plan.columns).toEqual([optional('id', 'int64'), optional('new', 'bool')])
  })
})

describe('a later run', () => {
  test('keeps what does not come any more, with nulls', () => {
    const plan = planOf({ known: [optional('id', 'int64'), optional('gone', 'string')] })
    const [, gone] = settle(plan, [{ id: 1 }, { id: 2 }])
    expect(gone).toMatchObject({ name: 'gone', cells: [null, null] })
  })

  test('gives columns that are renamed by case alone the name they had', () => {
    const plan = planOf({ known: [optional('user_id', 'int64')] })
    settle(plan, [{ UserID: 1 }])
    expect(plan.columns).toEqual([optional('user_id', 'int64')])
  })

  test('keeps the names of columns that fell together', () => {
    const first = planOf()
    settle(first, [{ Id: 'a' }])
    settle(first, [{ id: 1, Id: 'b' }])
    expect(first.columns.map(({ name }) => name)).toEqual(['id', '_id'])
    const second = planOf({ known: first.columns, names: first.names })
    settle(second, [{ id: 2 }, { Id: 'c' }])
    expect(second.columns).toEqual([optional('id', 'string'), optional('_id', 'int64')])
  })

  test('takes a wider declared type, and keeps a wider stored one', () => {
    const table = declared(
      { name: 'a', type: { kind: 'int64' }, nullable: true },
      { name: 'b', type: { kind: 'int16' }, nullable: true },
    )
    const plan = planOf({ table, known: [optional('a', 'int32'), optional('b', 'int32')] })
    expect(plan.columns).toEqual([optional('a', 'int64'), optional('b', 'int32')])
  })

  test('refuses a declared or chosen type that has nothing in common with the stored one', () => {
    const table = declared({ name: 'a', type: { kind: 'bool' }, nullable: true })
    const failing = () => planOf({ table, known: [optional('a', 'int64')] })
    expect(failing).toThrow(mismatch({ column: 'a', stored: 'int64', incoming: 'bool' }))
    expect(() => planOf({ known: [optional('a', 'int64')], columnTypes: { a: { kind: 'string' } } })).toThrow(
      mismatch({ column: 'a' }),
    )
  })
})

describe('mergeColumns', () => {
  test('adds, widens and keeps', () => {
    const known = [{ ...optional('a', 'int8'), nullable: false }, optional('b', 'string')]
    const incoming = [{ ...optional('c', 'bool'), nullable: false }, optional('a', 'int16')]
    expect(mergeColumns(known, incoming)).toEqual([
      { ...optional('a', 'int16'), nullable: false },
      optional('b', 'string'),
      optional('c', 'bool'),
    ])
  })
})

describe('a partitioned table', () => {
  test('gets its partitions with the first rows, and a column for them', () => {
    const plan = planOf({ partition: null, primaryKey: ['id'], mode: 'incremental' })
    const settled = settle(plan, [{ id: 1 }, { id: 2 }])
    expect(plan.partition).toMatchObject({ mode: 'numerical', column: 'id' })
    expect(plan.columns).toEqual([optional('id', 'int64'), PARTITION])
    expect(settled.at(-1)).toMatchObject({ ...PARTITION, cells: ['0', '0'] })
  })

  test('keeps them, also for rows that come in other columns', () => {
    const partition: PartitionSpec = { mode: 'datetime', column: 'created_at', format: 'day' }
    const plan = planOf({ known: [optional('created_at', 'timestamptz'), PARTITION], partition })
    const settled = settle(plan, [{ createdAt: new Date('2024-05-06T23:00:00Z') }, { other: 1 }])
    expect(plan.columns.map(({ name }) => name)).toEqual(['created_at', 'lakeduel_partition', 'other'])
    expect(settled.find(({ name }) => name === PARTITION.name)?.cells).toEqual(['2024-05-06', '1970-01'])
  })

  test('refuses a key that does not fit its type by the name of its column', async () => {
    const table = {
      ...SOURCE_TABLE,
      columns: [{ name: 'key', type: { kind: 'int64' }, nullable: false } as const],
    }
    const plan = planOf({ table, partition: { mode: 'md5', columns: ['key'], count: 4 } })
    const columns = settle(plan, [{ key: 'abc' }])
    await expect(arrowRows(columns, 0, 1, new TextRoom())).rejects.toThrow(mismatch({ column: 'key' }))
  })

  test('that is none stays so', () => {
    const plan = planOf({ known: [optional('id', 'int64')], partition: null, primaryKey: ['id'] })
    settle(plan, [{ id: 1 }])
    expect(plan.partition).toEqual({ mode: 'none' })
  })

  test('cannot be written to when nobody knows how it is partitioned', () => {
    expect(() => planOf({ known: [optional('id', 'int64'), PARTITION], partition: null })).toThrow(
      'is partitioned, but how',
    )
  })

  test('refuses a wider type that would move its keys to other partitions', () => {
    const partition: PartitionSpec = { mode: 'md5', columns: ['key'], count: 4 }
    const known = [optional('key', decimal(20, 2)), PARTITION]
    const plan = planOf({ known, partition })
    expect(() => settle(plan, [{ key: new DecimalText('0.125') }])).toThrow(
      mismatch({ column: 'key', stored: 'decimal(20,2)' }),
    )
    const integers = planOf({ known: [optional('key', 'int64'), PARTITION], partition })
    settle(integers, [{ key: 2n ** 64n }])
    expect(integers.columns[0]).toEqual(optional('key', decimal(38, 0)))
  })
})
