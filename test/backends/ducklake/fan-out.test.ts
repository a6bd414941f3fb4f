import { expect, test } from 'vitest'
import { openObjectStore } from '../../../platform/storage/object-store.ts'
import { expectFailure } from '../contract/errors.ts'
import { useLake } from '../contract/lake.ts'
import type { Row } from '../contract/rows.ts'
import { optional, required } from '../contract/rows.ts'
import type { TestTable } from '../contract/table.ts'
import { applyThroughConflicts } from '../contract/table.ts'

const lake = useLake('ducklake/delete-insert', 's3')
const COLUMNS = [required('id', 'int64'), required('part', 'string'), optional('note', 'string')]
const PARTITIONS = 5
const ALL = Array.from({ length: 4 * PARTITIONS }, (_, id) => id)

const rowsOf = (note: string | null, ids: readonly number[], prefix = 'p'): readonly Row[] =>
  ids.map((id) => ({ id, part: `${prefix}${id % PARTITIONS}`, note }))

/** A table with rows in all partitions, open for upserts that go to several partitions at once. */
async function storedTable(prefix = 'p'): Promise<TestTable> {
  const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy: 'part' })
  await table.append(rowsOf('stored', ALL, prefix))
  await table.reopen(await lake().connect({ fanOutPartitions: 2 }))
  return table
}

async function filesOf({ spec }: TestTable): Promise<readonly string[]> {
  await using store = openObjectStore(lake().environment.storage)
  return (await store.list('')).map(({ key }) => key).filter((key) => key.includes(`/${spec.name}/`))
}

test('an upsert makes a file for each partition and no delete file, and every reader sees it', async () => {
  const table = await storedTable()
  const before = await filesOf(table)
  const changed = rowsOf('changed', [...ALL.filter((id) => id % 2 === 0), 100, 101])
  const result = await table.upsert(changed)
  expect(result).toMatchObject({ rowsInserted: 2, rowsUpdated: changed.length - 2, commits: 1 })
  expect(result.engine['filesRegistered']).toBe(PARTITIONS)
  expect(await filesOf(table)).toHaveLength(before.length + PARTITIONS)
  await table.expectStored()
  expect((await table.handle.describe()).deleteFiles).toBe(PARTITIONS)
})

test('rows of later batches are not kept in the catalog, whoever writes them', async () => {
  const table = await storedTable()
  await table.upsert(rowsOf('changed', ALL))
  for (const backend of [undefined, await lake().connect()]) {
    if (backend !== undefined) await table.reopen(backend)
    const before = await filesOf(table)
    await table.append(rowsOf('one', [200 + before.length]))
    expect(await filesOf(table)).toHaveLength(before.length + 1)
  }
  await table.expectStored()
})

test('rows that were changed so are changed, deleted, maintained and changed again', async () => {
  const table = await storedTable()
  for (const note of ['first', 'second']) await table.upsert(rowsOf(note, ALL.slice(3)))
  await table.apply('delete', rowsOf(null, ALL.slice(0, 9)))
  await table.expectStored()
  await table.handle.maintain()
  expect((await table.handle.describe()).deleteFiles).toBe(0)
  await table.expectStored()
  await table.upsert(rowsOf('third', ALL))
  await table.expectStored()
})

test('of upserts at once nothing is lost or doubled, and a lost attempt leaves no file', async () => {
  const table = await storedTable()
  const other = await (await lake().connect({ fanOutPartitions: 2 })).open(table.spec)
  const handles = [table.handle, other]
  const batches = await Promise.all(handles.map(() => table.stage(rowsOf('same', [...ALL, 300]))))
  await Promise.all(
    batches.map((batch, index) =>
      applyThroughConflicts(handles[index] ?? other, batch, 'upsert', {
        runId: `writer ${index}`,
        batchIndex: 0,
      }),
    ),
  )
  table.model.apply('upsert', rowsOf('same', [...ALL, 300]))
  await table.expectStored()
  await table.handle.maintain()
  expect(await filesOf(table)).toHaveLength((await table.handle.describe()).dataFiles)
})

test('a NULL where none may be is refused, and the table and its folder stay as they are', async () => {
  const columns = [...COLUMNS, required('amount', 'int64')]
  const table = await lake().createTable({ columns, primaryKey: ['id'], partitionBy: 'part' })
  await table.append(rowsOf('stored', ALL).map((row) => ({ ...row, amount: 1 })))
  await table.reopen(await lake().connect({ fanOutPartitions: 2 }))
  const before = await filesOf(table)
  const batch = await table.stage(rowsOf('bad', ALL).map((row) => ({ ...row, amount: null })))
  await expectFailure(table.handle.apply(batch, 'upsert', table.nextTag()), 'BATCH_INVALID')
  expect(await filesOf(table)).toEqual(before)
  await table.expectStored()
})

test.each(['a b', 'é', '%2F', '../'])(
  'partitions whose folders have other names (%j…) are written by DuckLake',
  async (prefix) => {
    const table = await storedTable(prefix)
    const result = await table.upsert(rowsOf('changed', ALL, prefix))
    expect(result.engine['filesRegistered']).toBe(0)
    await table.expectStored()
  },
)
