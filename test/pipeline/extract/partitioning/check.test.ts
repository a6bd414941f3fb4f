import { describe, expect, test } from 'vitest'
import { planRun } from '../../../../pipeline/plan.ts'
import type { SourceTable } from '../../../../pipeline/sources/source.ts'
import type { PartitionSpec } from '../../../../pipeline/state/model.ts'
import { planOf, SOURCE_TABLE, settle } from '../columns.ts'

const TABLE: SourceTable = {
  ...SOURCE_TABLE,
  primaryKey: ['id'],
  columns: [
    { name: 'id', type: { kind: 'int64' }, nullable: false },
    { name: 'createdAt', type: { kind: 'timestamptz' }, nullable: true },
    { name: 'country', type: { kind: 'string' }, nullable: true },
    { name: 'paid', type: { kind: 'bool' }, nullable: true },
    { name: 'note', type: null, nullable: true },
  ],
}
const PLAN = {
  source: { name: 'synthetic', config: {} },
  destination: { arm: 'ducklake/merge', lake: 'lake', settings: {} },
  compaction: { minFiles: null },
} as const
const day = (column: string): PartitionSpec => ({ mode: 'datetime', column, format: 'day' })
const refusal = (remedy: string) =>
  expect.objectContaining({ code: 'CONFIG_INVALID', remedy: expect.stringContaining(remedy) })

function plan(partition: PartitionSpec, columnTypes = {}) {
  const asked = { table: 'things', nested: 'json', triggers: [] } as const
  return planRun({ ...asked, partition, columnTypes }, TABLE, PLAN)
}

describe('a partitioning that a user chose', () => {
  test.each<[PartitionSpec, string]>([
    [day('createdAt'), 'Did you mean "created_at"?'],
    [{ mode: 'md5', columns: ['id', 'contry'], count: 4 }, 'Did you mean "country"?'],
    [{ mode: 'numerical', column: 'ids', size: 4 }, 'Did you mean "id"?'],
    [
      { mode: 'datetime_md5', column: 'created_at', format: 'day', columns: ['idd'], count: 2 },
      'Did you mean "id"?',
    ],
  ])('%j names no column of the table, and is answered with the nearest one', (spec, remedy) => {
    expect(() => plan(spec)).toThrow(refusal(remedy))
  })

  test.each<[PartitionSpec, string]>([
    [day('paid'), 'md5:paid:COUNT'],
    [{ mode: 'numerical', column: 'created_at', size: 4 }, 'datetime:created_at:week or md5'],
    [{ mode: 'numerical', column: 'country', size: 4 }, 'md5:country:COUNT'],
  ])('%j is not for the type of its column, and is answered with what is', (spec, remedy) => {
    expect(() => plan(spec)).toThrow(refusal(remedy))
  })

  test.each<PartitionSpec>([
    day('created_at'),
    day('id'),
    day('country'),
    day('note'),
    { mode: 'md5', columns: ['paid', 'note'], count: 4 },
    { mode: 'numerical', column: 'id', size: 4 },
  ])('%j is taken', (spec) => {
    expect(plan(spec).partition).toEqual(spec)
  })

  test('is judged by the type that was chosen for the column', () => {
    expect(() => plan(day('created_at'), { created_at: { kind: 'bool' } })).toThrow(refusal('md5'))
  })

  test('is judged by the first rows where no columns are declared, and a null there is a column', () => {
    const rows = [{ userId: 1, at: null }]
    expect(() => settle(planOf({ partition: day('user') }), rows)).toThrow(refusal('"user_id"'))
    expect(() => settle(planOf({ partition: day('at') }), rows)).not.toThrow()
  })

  test('is not judged by the rows of a later run, where the column may be missing', () => {
    const known = [
      { name: 'id', type: { kind: 'int64' }, nullable: true },
      { name: 'lakeduel_partition', type: { kind: 'string' }, nullable: false },
    ] as const
    expect(() => settle(planOf({ known, partition: day('at') }), [{ id: 1 }])).not.toThrow()
  })
})
