import { expect, test } from 'vitest'
import { expectFailure } from './errors.ts'
import type { TestLake } from './lake.ts'
import { optional, required } from './rows.ts'
import type { TestTable } from './table.ts'

const COLUMNS = [required('id', 'int64'), optional('note', 'string')]
const ADDED = [
  optional('amount', { kind: 'decimal', precision: 12, scale: 2 }),
  optional('tags', { kind: 'list', element: { kind: 'string' } }),
]

async function evolved(table: TestTable): Promise<void> {
  const columns = [...COLUMNS, ...ADDED]
  expect(await table.handle.evolve(columns)).toEqual(['amount', 'tags'])
  table.model.spec = { ...table.spec, columns }
}

export function evolutionTests(lake: () => TestLake): void {
  const create = () => lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })

  test('added columns are null in the stored rows, and hold values from then on', async () => {
    const table = await create()
    await table.append([
      { id: 1, note: 'a' },
      { id: 2, note: 'b' },
    ])
    await evolved(table)
    await table.expectStored()
    await table.upsert([
      { id: 2, note: 'B', amount: '1.50', tags: ['x'] },
      { id: 3, note: 'c', amount: null, tags: [] },
    ])
    await table.expectStored()
  })

  test('an evolved table is opened again with its new columns', async () => {
    const table = await create()
    await table.append([{ id: 1, note: 'a' }])
    await evolved(table)
    await table.reopen(await lake().connect())
    expect((await table.handle.describe()).columns).toEqual(table.spec.columns)
    await table.upsert([{ id: 1, note: 'A', amount: '2.00', tags: null }])
    await table.append({ rows: [{ id: 5, note: 'old shape' }], columns: COLUMNS })
    await table.expectStored()
  })

  test('evolving to what is stored already adds nothing', async () => {
    const table = await create()
    const { version } = await table.handle.describe()
    expect(await table.handle.evolve(COLUMNS)).toEqual([])
    expect((await table.handle.describe()).version).toBe(version)
  })

  test.each([
    {
      name: 'another type of a stored column',
      columns: [optional('extra', 'int32'), optional('note', 'int64')],
    },
    { name: 'a new column that is not nullable', columns: [required('extra', 'int32')] },
  ])('$name is a schema mismatch and changes nothing', async ({ columns }) => {
    const table = await create()
    await table.append([{ id: 1, note: 'a' }])
    await expectFailure(table.handle.evolve(columns), 'SCHEMA_MISMATCH')
    expect((await table.handle.describe()).columns).toEqual(COLUMNS)
    await table.upsert([{ id: 1, note: 'b' }])
    await table.expectStored()
  })

  test.each([
    {
      name: 'another column type',
      change: { columns: [required('id', 'int64'), optional('note', 'int32')] },
    },
    { name: 'another partition column', change: { partitionBy: 'note' } },
  ])('opening with $name is a schema mismatch', async ({ change }) => {
    const table = await create()
    await table.append([{ id: 1, note: 'a' }])
    const backend = await lake().backend()
    await expectFailure(backend.open({ ...table.spec, ...change }), 'SCHEMA_MISMATCH')
    await table.expectStored()
  })
}
