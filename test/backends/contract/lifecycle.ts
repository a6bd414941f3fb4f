import { expect, test } from 'vitest'
import { formatOf } from '../../../backends/backend.ts'
import { expectFailure } from './errors.ts'
import type { TestLake } from './lake.ts'
import { optional, required } from './rows.ts'

const COLUMNS = [
  required('id', 'int64'),
  required('part', 'string'),
  optional('note', 'string'),
  optional('price', { kind: 'decimal', precision: 10, scale: 2 }),
]
const row = (id: number, note: string) => ({ id, part: `p${id % 3}`, note, price: '1.25' })

export function lifecycleTests(lake: () => TestLake): void {
  test.each([null, 'part'])(
    'a description tells what is stored, with partitionBy %j',
    async (partitionBy) => {
      const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy })
      const empty = await table.handle.describe()
      expect(empty).toMatchObject({ columns: COLUMNS, partitionBy, rows: 0, format: formatOf(lake().arm) })

      await table.append(Array.from({ length: 30 }, (_, id) => row(id, 'a')))
      const result = await table.upsert([row(1, 'b'), row(100, 'c')])
      const description = await table.handle.describe()
      expect(description).toMatchObject({ columns: COLUMNS, partitionBy, rows: 31, version: result.version })
      expect(description.version).not.toBe(empty.version)
      expect(description.dataFiles).toBeGreaterThan(0)
      expect(description.dataBytes).toBeGreaterThan(0)
    },
  )

  test('only a backend that is mergeOnRead leaves deleted rows in place', async ({ skip }) => {
    const backend = await lake().backend()
    skip(backend.capabilities.mergeOnRead, `${backend.arm} is mergeOnRead: it may leave delete files`)
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await table.append([row(1, 'a'), row(2, 'b')])
    await table.upsert([row(1, 'c')])
    expect((await table.handle.describe()).deleteFiles).toBe(0)
  })

  test.each([null, 'part'])(
    'maintenance keeps the rows and the progress of runs, with partitionBy %j',
    async (partitionBy) => {
      const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy })
      for (const note of ['a', 'b', 'c', 'd'])
        await table.upsert([1, 2, 3, 4, 5, 6].map((id) => row(id, note)))
      await table.append([row(50, 'x')])
      const before = await table.handle.describe()
      const result = await table.handle.maintain()
      expect(result.steps.length).toBeGreaterThan(0)
      expect(result.filesAfter).toBeLessThanOrEqual(result.filesBefore)
      await table.expectStored()

      const after = await table.handle.describe()
      expect(after).toMatchObject({ rows: before.rows, deleteFiles: 0, partitionBy, columns: COLUMNS })
      expect(await table.handle.appliedThrough(table.runId)).toBe(4)
      const again = await table.handle.apply(await table.stage([row(50, 'x')]), 'append', {
        runId: table.runId,
        batchIndex: 4,
      })
      expect(again.alreadyApplied).toBe(true)
      await table.upsert([row(1, 'e'), row(60, 'new')])
      await table.expectStored()
    },
  )

  test('maintenance of an empty table does no harm', async () => {
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await table.handle.maintain()
    await table.expectStored()
    await table.append([row(1, 'a')])
    await table.expectStored()
  })

  test('tables of one backend are open at once and do not mix', async () => {
    const [left, right] = [
      await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] }),
      await lake().createTable({
        columns: [required('id', 'string'), optional('other', 'bool')],
        primaryKey: ['id'],
      }),
    ]
    await left.append([row(1, 'left')])
    await right.upsert([{ id: '1', other: true }])
    await left.upsert([row(1, 'LEFT')])
    await right.append([{ id: '2', other: null }])
    await left.expectStored()
    await right.expectStored()
  })

  test('a table that another process has made since is written as that one would', async () => {
    const other = await lake().connect()
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await table.reopen(other)
    await table.append([row(1, 'a')])
    expect(await table.handle.describe()).toMatchObject({ rows: 1, dataFiles: 1 })
    await table.upsert([row(1, 'b')])
    await table.handle.maintain()
    await table.expectStored()
  })

  test('a table is closed any number of times, and then says so', async () => {
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await table.append([row(1, 'a')])
    const batch = await table.stage([row(2, 'b')])
    await table.handle.close()
    await table.handle.close()
    const calls = [
      () => table.handle.apply(batch, 'append', table.nextTag()),
      () => table.handle.appliedThrough(table.runId),
      () => table.handle.evolve(COLUMNS),
      () => table.handle.maintain(),
      () => table.handle.describe(),
    ]
    for (const call of calls) {
      const error = await expectFailure(call(), 'USAGE')
      expect(error.message).toMatch(/closed/)
      expect(error.message).toContain(table.spec.name)
    }
    await table.expectStored()
  })

  test('a backend is closed any number of times, with the processes that it started', async () => {
    const backend = await lake().connect()
    const pids = Object.values(backend.processes)
    await backend.close()
    await backend.close()
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)
  })

  test('a backend tells its settings and the versions of its engines', async () => {
    const backend = await lake().backend()
    expect(backend.arm).toBe(lake().arm)
    expect(Object.keys(backend.versions).length).toBeGreaterThan(0)
    expect(Object.keys(backend.settings).length).toBeGreaterThan(0)
    expect(JSON.stringify(backend.settings)).not.toContain(
      JSON.stringify(lake().environment.catalog.postgres.password),
    )
  })
}
