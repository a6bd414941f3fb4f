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
  expect(await table.handle.evolve(columns)).toEqual({ added: ['amount', 'tags'], widened: [] })
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
    expect(await table.handle.evolve(COLUMNS)).toEqual({ added: [], widened: [] })
    expect((await table.handle.describe()).version).toBe(version)
  })

  test('a column that is missing, narrower or without NULL leaves the stored one as it is', async () => {
    const table = await create()
    await table.append([{ id: 1, note: 'a' }])
    const { version } = await table.handle.describe()
    for (const columns of [[], [optional('id', 'int8')], [required('note', 'json'), optional('id', 'int64')]])
      expect(await table.handle.evolve(columns)).toEqual({ added: [], widened: [] })
    expect(await table.handle.describe()).toMatchObject({ version, columns: COLUMNS })
  })

  test.each([
    {
      name: 'text for a number',
      columns: [optional('extra', 'int32'), optional('note', 'int64')],
      says: ['"note"', 'string', 'int64'],
    },
    {
      name: 'a float for a long integer',
      columns: [required('id', 'float64')],
      says: ['"id"', 'int64', 'float64'],
    },
    {
      name: 'a new column that is not nullable',
      columns: [required('extra', 'int32')],
      says: ['"extra"', 'not nullable'],
    },
    { name: 'a name in another case', columns: [optional('Note', 'string')], says: ['"Note"', '"note"'] },
    {
      name: 'two new names that differ by case only',
      columns: [optional('extra', 'int32'), optional('EXTRA', 'int32')],
      says: ['"extra"', '"EXTRA"'],
    },
  ])('$name is a schema mismatch that says so, and changes nothing', async ({ columns, says }) => {
    const table = await create()
    await table.append([{ id: 1, note: 'a' }])
    const error = await expectFailure(table.handle.evolve(columns), 'SCHEMA_MISMATCH')
    for (const fact of [table.spec.name, ...says]) expect(error.message).toContain(fact)
    expect(error.remedy).toMatch(/refresh the table in full/)
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
