import { expect, test } from 'vitest'
import type { TestLake } from './lake.ts'
import { optional, required } from './rows.ts'
import { applyThroughConflicts } from './table.ts'

/** An empty text is left out: Delta's protocol stores it as NULL in a partition column. */
const AWKWARD_TEXTS = [
  "it's",
  'a"b',
  'a/b',
  '/a/',
  ' a  b ',
  'ü–漢字 😀',
  'a=b&c=d',
  '100%',
  '%2F',
  'a\\b',
  'a:b;c',
  'NULL',
  '..',
  'x#y?z',
  '{a}',
  null,
]

const VALUES = [
  { kind: 'string', values: AWKWARD_TEXTS },
  { kind: 'int64', values: ['-9223372036854775808', '0', '42', null] },
  { kind: 'int32', values: [-1, 0, 2_147_483_647, null] },
  { kind: 'date', values: ['0001-01-01', '2024-02-29', '9999-12-31', null] },
  { kind: 'bool', values: [true, false, null] },
] as const

export function partitionTests(lake: () => TestLake): void {
  test.each(VALUES)(
    'partition values of type $kind are kept, whatever they hold',
    async ({ kind, values }) => {
      const columns = [required('id', 'int32'), optional('part', kind), optional('note', 'string')]
      const table = await lake().createTable({ columns, primaryKey: ['part', 'id'], partitionBy: 'part' })
      await table.upsert(
        values.flatMap((part, id) => [
          { id, part, note: 'a' },
          { id: id + 100, part, note: 'b' },
        ]),
      )
      await table.expectStored()
      await table.upsert(values.map((part, id) => ({ id, part, note: 'changed' })))
      await table.upsert(values.slice(0, 2).map((part) => ({ id: 1000, part, note: 'new' })))
      await table.expectStored()
    },
  )

  test('a key that is not the partition column is upserted in its partition', async () => {
    const columns = [required('id', 'int64'), optional('part', 'string'), optional('note', 'string')]
    const table = await lake().createTable({ columns, primaryKey: ['id'], partitionBy: 'part' })
    const row = (id: number, note: string) => ({ id, part: id % 3 === 0 ? null : `p${id % 3}`, note })
    await table.append([1, 2, 3, 4, 5, 6].map((id) => row(id, 'stored')))
    await table.upsert([3, 4].map((id) => row(id, 'changed')))
    await table.upsert([6, 7, 9].map((id) => row(id, 'changed')))
    await table.expectStored()
  })

  test('writers that upsert different partitions at once neither fail nor lose a row', async ({ skip }) => {
    const backend = await lake().backend()
    skip(
      backend.capabilities.concurrentUpserts === 'none',
      `${backend.arm} has concurrentUpserts "none": callers hold one upserter per table`,
    )
    const columns = [required('id', 'int64'), required('part', 'string'), optional('note', 'string')]
    const table = await lake().createTable({ columns, primaryKey: ['id'], partitionBy: 'part' })
    const row = (id: number, note: string) => ({ id, part: `p${id % 2}`, note })
    await table.append([1, 2, 3, 4].map((id) => row(id, 'stored')))
    const other = await (await lake().connect()).open(table.spec)
    for (const batchIndex of [0, 1, 2]) {
      const changes = [0, 1].map((part) =>
        [part + 2, part + 10 + batchIndex * 2].map((id) => row(id, `round ${batchIndex}`)),
      )
      const [evens, odds] = [changes[0] ?? [], changes[1] ?? []]
      const batches = [await table.stage(evens), await table.stage(odds)] as const
      await Promise.all([
        table.handle.apply(batches[0], 'upsert', { runId: 'evens', batchIndex }),
        other.apply(batches[1], 'upsert', { runId: 'odds', batchIndex }),
      ])
      table.model.apply('upsert', [...evens, ...odds])
    }
    await other.close()
    await table.expectStored()
  })

  test('writers that upsert the same keys at once neither fail nor double a row', async ({ skip }) => {
    const backend = await lake().backend()
    skip(
      backend.capabilities.concurrentUpserts !== 'same-table',
      `${backend.arm} has concurrentUpserts "${backend.capabilities.concurrentUpserts}": callers hold one upserter per partition or table`,
    )
    const table = await lake().createTable({
      columns: [required('id', 'int64'), optional('note', 'string')],
      primaryKey: ['id'],
    })
    const other = await (await lake().connect()).open(table.spec)
    for (const batchIndex of [0, 1, 2]) {
      const batch = await table.stage([{ id: batchIndex, note: 'same' }])
      await Promise.all([
        applyThroughConflicts(table.handle, batch, 'upsert', { runId: 'left', batchIndex }),
        applyThroughConflicts(other, batch, 'upsert', { runId: 'right', batchIndex }),
      ])
      table.model.apply('upsert', [{ id: batchIndex, note: 'same' }])
    }
    await other.close()
    expect(await table.stored()).toHaveLength(3)
    await table.expectStored()
  })
}
