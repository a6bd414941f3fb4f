import { describe, expect, test } from 'vitest'
import type { LakeType } from '../../../../backends/schema.ts'
import { choosePartition, type PartitionRequest } from '../../../../pipeline/extract/partitioning/choose.ts'
import { sampleOf } from '../../../../pipeline/extract/partitioning/sample.ts'

const MIB = 1024 ** 2
const ROWS = 100

interface Column {
  readonly type: LakeType
  readonly cells: readonly unknown[]
}

const counting = (step: number): Column => ({
  type: { kind: 'int64' },
  cells: Array.from({ length: ROWS }, (_, i) => i * step),
})
const times: Column = {
  type: { kind: 'timestamptz' },
  cells: Array.from({ length: ROWS }, (_, i) => new Date(i)),
}
const texts: Column = { type: { kind: 'string' }, cells: Array.from({ length: ROWS }, (_, i) => `k${i}`) }
const empty = (column: Column): Column => ({ ...column, cells: column.cells.map(() => null) })

function choose(columns: Record<string, Column>, request: Partial<PartitionRequest> = {}, rowBytes = MIB) {
  const named = Object.entries(columns).map(([name, column]) => ({ name, nullable: true, ...column }))
  return choosePartition({
    mode: 'incremental',
    columns: named,
    primaryKey: ['id'],
    incrementalField: null,
    hint: null,
    expectedRows: null,
    ...request,
    sample: sampleOf(
      named,
      Array.from({ length: ROWS }, () => rowBytes),
    ),
  })
}

describe('a table is partitioned', () => {
  test.each(['created_at', 'inserted_at'])('by the week of %s where it is a time', (name) => {
    expect(choose({ id: counting(1), [name]: times })).toEqual({
      mode: 'datetime',
      column: name,
      format: 'week',
    })
  })

  test('by created_at rather than inserted_at', () => {
    expect(choose({ id: texts, inserted_at: times, created_at: times })).toMatchObject({
      column: 'created_at',
    })
  })

  test.each([
    ['is a text', texts],
    ['has no value', empty(times)],
  ])('by the key where created_at %s', (_, column) => {
    expect(choose({ id: counting(1), created_at: column })).toMatchObject({ mode: 'numerical' })
  })

  test('by the incremental field where rows are only added', () => {
    const columns = { id: texts, received_at: times }
    expect(choose(columns, { mode: 'append', incrementalField: 'received_at' })).toMatchObject({
      mode: 'datetime',
      column: 'received_at',
    })
  })

  test('never by the incremental field of an upsert: a change would move the row to another partition', () => {
    const columns = { id: texts, updated_at: times }
    expect(choose(columns, { incrementalField: 'updated_at' })).toMatchObject({
      mode: 'md5',
      columns: ['id'],
    })
    const keyed = { incrementalField: 'updated_at', primaryKey: ['id', 'updated_at'] }
    expect(choose(columns, keyed)).toMatchObject({ mode: 'datetime', column: 'updated_at' })
  })

  test('by a key that fills at least a fifth of its range, in steps of 200 MiB', () => {
    expect(choose({ id: counting(5) })).toEqual({ mode: 'numerical', column: 'id', size: 200 })
    expect(choose({ id: counting(6) })).toMatchObject({ mode: 'md5' })
    expect(choose({ id: counting(1) }, { primaryKey: ['id', 'other'] })).toMatchObject({
      mode: 'md5',
      columns: ['id', 'other'],
    })
  })

  test.each([
    [null, 1],
    [200, 1],
    [201, 2],
    [10_000, 50],
  ])('into buckets of 200 MiB of a hash: with %s rows of a MiB expected into %i', (expectedRows, count) => {
    expect(choose({ id: texts }, { expectedRows })).toEqual({ mode: 'md5', columns: ['id'], count })
  })

  test('not at all without a key', () => {
    expect(choose({ id: counting(1), created_at: times }, { primaryKey: [] })).toEqual({ mode: 'none' })
  })
})

describe('what the source proposes', () => {
  test('comes first', () => {
    const columns = { id: counting(1), created_at: times, created: counting(1) }
    const hint = { mode: 'datetime', columns: ['created'] } as const
    expect(choose(columns, { hint })).toEqual({ mode: 'datetime', column: 'created', format: 'week' })
    expect(choose(columns, { hint: { mode: 'md5', columns: ['id'] }, primaryKey: [] })).toEqual({
      mode: 'md5',
      columns: ['id'],
      count: 1,
    })
  })

  test('splits a date by the columns after it, or by the date itself', () => {
    const columns = { id: texts, at: times }
    const shared = { mode: 'datetime_md5', column: 'at', format: 'week', count: 1 }
    expect(choose(columns, { hint: { mode: 'datetime_md5', columns: ['at', 'id'] } })).toEqual({
      ...shared,
      columns: ['id'],
    })
    expect(choose(columns, { hint: { mode: 'datetime_md5', columns: ['at'] } })).toEqual({
      ...shared,
      columns: ['at'],
    })
  })

  test('gives way where the key has too many gaps to go by its number', () => {
    const hint = { mode: 'numerical', columns: ['id'] } as const
    expect(choose({ id: counting(1_000), created_at: times }, { hint })).toMatchObject({ mode: 'datetime' })
  })
})
