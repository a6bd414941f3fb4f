import { expect, test } from 'vitest'
import { newTableName, type TestLake } from './lake.ts'
import { optional, required } from './rows.ts'

const COLUMNS = [
  required('id', 'int64'),
  required('part', 'string'),
  optional('document', 'json'),
  optional('price', { kind: 'decimal', precision: 10, scale: 2 }),
  optional('tags', { kind: 'list', element: { kind: 'string' } }),
]
const STORED = COLUMNS.map((column) => (column.name === 'document' ? optional('document', 'string') : column))
const row = (id: number) => ({ id, part: 'p', document: '{}', price: '1.00', tags: ['a'] })

export function storedTests(lake: () => TestLake): void {
  test.each([null, 'part'])(
    'a stored table tells its columns and its partition column %j to whoever asks',
    async (partitionBy) => {
      const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy })
      await table.append([row(1)])
      for (const backend of [await lake().backend(), await lake().connect()]) {
        expect(await backend.stored(table.spec.name)).toEqual({ columns: STORED, partitionBy })
      }
      await table.handle.close()
      expect(await (await lake().backend()).stored(table.spec.name)).toEqual({ columns: STORED, partitionBy })
    },
  )

  test('a table that is not there is null, a shadow as well', async () => {
    const backend = await lake().backend()
    const table = await lake().createTable({ columns: COLUMNS })
    expect(await backend.stored(newTableName())).toBeNull()
    expect(await backend.stored(newTableName(), { shadowOf: table.spec.name })).toBeNull()
  })

  test('a shadow is a table of its own until it is swapped or dropped', async () => {
    const target = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await target.append([row(1)])
    const shadow = await lake().createTable({
      columns: COLUMNS.slice(0, 2),
      primaryKey: ['id'],
      shadowOf: target.spec.name,
    })
    await shadow.upsert([{ id: 7, part: 'x' }])
    await shadow.reopen(await lake().connect())
    await shadow.upsert([{ id: 8, part: 'x' }])
    await shadow.handle.maintain()
    expect(await shadow.handle.describe()).toMatchObject({ rows: 2, columns: COLUMNS.slice(0, 2) })
    await target.handle.maintain()
    expect(await shadow.handle.appliedThrough(shadow.runId)).toBe(1)
    await target.expectStored()
  })

  test('a dropped table is gone with its progress, and can be made anew in other columns', async () => {
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy: 'part' })
    await table.append([row(1)])
    await table.handle.close()
    const backend = await lake().connect()
    await backend.drop(table.spec.name)
    await backend.drop(table.spec.name)
    expect(await backend.stored(table.spec.name)).toBeNull()
    const again = await lake().openTable({ ...table.spec, columns: COLUMNS.slice(0, 2), partitionBy: null })
    expect(await again.handle.appliedThrough(table.runId)).toBeNull()
    await again.append([{ id: 5, part: 'q' }])
    await again.expectStored()
  })

  test('an abandoned shadow is dropped, and its target stays', async () => {
    const target = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await target.append([row(1)])
    const shadow = await lake().createTable({ columns: COLUMNS, shadowOf: target.spec.name })
    await shadow.append([row(2)])
    await shadow.handle.close()
    const backend = await lake().backend()
    await backend.drop(shadow.spec.name, shadow.place)
    await backend.drop(newTableName(), shadow.place)
    expect(await backend.stored(shadow.spec.name, shadow.place)).toBeNull()
    await target.handle.maintain()
    await target.expectStored()
  })
}
