import { expect, test } from 'vitest'
import type { TestLake } from './lake.ts'
import { runInProcess } from './process.ts'
import { optional, required } from './rows.ts'
import { applyThroughConflicts } from './table.ts'

const COLUMNS = [required('id', 'int64'), optional('note', 'string')]
const rows = (note: string, ...ids: readonly number[]) => ids.map((id) => ({ id, note }))

export function idempotenceTests(lake: () => TestLake): void {
  const create = () => lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })

  test.each(['append', 'upsert', 'replace'] as const)(
    'an %s that is applied again changes nothing',
    async (mode) => {
      const table = await create()
      await table.append(rows('before', 1, 2))
      const batch = await table.stage(rows('batch', 2, 3))
      const tag = table.nextTag()
      const first = await table.handle.apply(batch, mode, tag)
      table.model.apply(mode, rows('batch', 2, 3))
      expect(first.alreadyApplied).toBe(false)

      const again = await table.handle.apply(batch, mode, tag)
      await table.reopen()
      const reopened = await table.handle.apply(batch, mode, tag)
      await table.reopen(await lake().connect())
      const reconnected = await table.handle.apply(batch, mode, tag)
      const elsewhere = await runInProcess(table.requestOf(batch, mode, tag))

      for (const result of [again, reopened, reconnected]) {
        expect(result).toMatchObject({ alreadyApplied: true, version: first.version, commits: 0 })
      }
      expect(elsewhere).toMatchObject({ alreadyApplied: true, appliedThrough: tag.batchIndex })
      await table.expectStored()
    },
  )

  test('an earlier batch that is applied again does not undo a later one', async () => {
    const table = await create()
    const tags = [table.nextTag(), table.nextTag()] as const
    const batches = [await table.stage(rows('early', 1, 2)), await table.stage(rows('late', 2, 3))] as const
    await table.handle.apply(batches[0], 'upsert', tags[0])
    await table.handle.apply(batches[1], 'upsert', tags[1])
    expect(await table.handle.apply(batches[0], 'upsert', tags[0])).toMatchObject({ alreadyApplied: true })
    table.model.apply('upsert', [...rows('early', 1, 2), ...rows('late', 2, 3)])
    await table.expectStored()
    expect(await table.handle.appliedThrough(table.runId)).toBe(1)
  })

  test('batches of other runs with the same index are not confused', async () => {
    const table = await create()
    await table.append(rows('own', 1))
    const others = ['o\'run "1" /ü', 'other_run', table.runId.toUpperCase()]
    for (const [index, runId] of others.entries()) {
      const added = rows(runId, 10 + index)
      const batch = await table.stage(added)
      expect(await table.handle.appliedThrough(runId)).toBeNull()
      expect(await table.handle.apply(batch, 'append', { runId, batchIndex: 0 })).toMatchObject({
        alreadyApplied: false,
      })
      expect(await table.handle.appliedThrough(runId)).toBe(0)
      table.model.apply('append', added)
    }
    expect(await table.handle.appliedThrough(table.runId)).toBe(0)
    await table.expectStored()
  })

  test('a run applies to several tables, each with its own progress', async () => {
    const [left, right] = [await create(), await create()]
    await left.append(rows('left', 1))
    await right.handle.apply(await right.stage(rows('right', 1)), 'append', {
      runId: left.runId,
      batchIndex: 0,
    })
    right.model.apply('append', rows('right', 1))
    await left.append(rows('left', 2))
    expect(await left.handle.appliedThrough(left.runId)).toBe(1)
    expect(await right.handle.appliedThrough(left.runId)).toBe(0)
    await left.expectStored()
    await right.expectStored()
  })

  test('another process continues a run where this one left it', async () => {
    const table = await create()
    await table.upsert(rows('here', 1, 2))
    const batch = await table.stage(rows('there', 2, 3))
    const result = await runInProcess(table.requestOf(batch, 'upsert', table.nextTag()))
    expect(result).toMatchObject({ appliedThrough: 0, alreadyApplied: false })
    table.model.apply('upsert', rows('there', 2, 3))
    expect(await table.handle.appliedThrough(table.runId)).toBe(1)
    await table.upsert(rows('here again', 3, 4))
    await table.expectStored()
  })

  test('two writers that apply the same batch at once have the effect of one', async () => {
    const table = await create()
    const zombie = await (await lake().connect()).open(table.spec)
    await table.append(rows('before', 1))
    for (const round of [1, 2, 3]) {
      const added = rows(`round ${round}`, round * 10, 1)
      const batch = await table.stage(added)
      const tag = table.nextTag()
      const results = await Promise.all(
        [table.handle, zombie].map((handle) => applyThroughConflicts(handle, batch, 'append', tag)),
      )
      expect(results.filter((result) => !result.alreadyApplied)).toHaveLength(1)
      table.model.apply('append', added)
    }
    await zombie.close()
    await table.expectStored()
  })

  test('two writers that apply the same upsert at once have the effect of one', async () => {
    const table = await create()
    const zombie = await (await lake().connect()).open(table.spec)
    await table.append(rows('before', 1, 2))
    for (const round of [1, 2, 3]) {
      const changed = rows(`round ${round}`, 1, round * 10)
      const batch = await table.stage(changed)
      const tag = table.nextTag()
      await Promise.all(
        [table.handle, zombie].map((handle) => applyThroughConflicts(handle, batch, 'upsert', tag)),
      )
      table.model.apply('upsert', changed)
    }
    await zombie.close()
    await table.expectStored()
  })
}
