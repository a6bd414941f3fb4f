import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { CommitTag, SwapResult } from '../../../backends/backend.ts'
import { expectFailure } from './errors.ts'
import { newTableName, type TestLake } from './lake.ts'
import { optional, required } from './rows.ts'
import type { TestTable } from './table.ts'
import { throughConflicts } from './table.ts'

const OLD = [required('id', 'int32'), optional('note', 'string')]
const NEW = [
  required('id', 'int64'),
  optional('part', 'string'),
  optional('at', 'timestamp'),
  optional('note', 'json'),
]
const oldRow = (id: number) => ({ id, note: `old ${id}` })
const newRow = (id: number) => ({
  id,
  part: id % 4 === 0 ? null : `p ${id % 4}/ü`,
  at: '2026-11-22 10:00:00',
  note: '{"new": true}',
})
const ids = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index)

/** Swaps through the shared backend, and returns the target with the shadow's rows as what it must hold. */
async function swapIn(shadow: TestTable, target: string, tag: CommitTag): Promise<[SwapResult, TestTable]> {
  const { lake } = shadow
  await shadow.handle.close()
  const result = await (await lake.backend()).swap(shadow.spec.name, target, tag)
  const swapped = await lake.openTable({ ...shadow.spec, name: target })
  swapped.model.apply('replace', shadow.model.rows)
  return [result, swapped]
}

export function swapTests(lake: () => TestLake): void {
  const createTarget = async () => {
    const target = await lake().createTable({ columns: OLD, primaryKey: ['id'] })
    await target.append(ids(0, 20).map(oldRow))
    await target.upsert([oldRow(3), oldRow(50)])
    return target
  }
  const createShadow = async (shadowOf: string, rows = ids(100, 30).map(newRow)) => {
    const shadow = await lake().createTable({
      columns: NEW,
      primaryKey: ['id'],
      partitionBy: 'part',
      shadowOf,
    })
    await shadow.append(rows.slice(0, 10), rows.slice(10))
    await shadow.upsert(rows.slice(5, 8))
    return shadow
  }

  test("a swap gives the target the shadow's rows, columns and partitioning, and keeps the progress of runs", async () => {
    const target = await createTarget()
    const shadow = await createShadow(target.spec.name)
    await target.expectStored()
    const tag = { runId: shadow.runId, batchIndex: 2 }
    const [result, swapped] = await swapIn(shadow, target.spec.name, tag)
    expect(result.alreadyApplied).toBe(false)
    await swapped.expectStored()

    const backend = await lake().backend()
    expect(await backend.stored(target.spec.name)).toMatchObject({
      partitionBy: 'part',
      columns: NEW.map(({ name, nullable }) => ({ name, nullable })),
    })
    expect(await backend.stored(shadow.spec.name, shadow.place)).toBeNull()
    expect((await swapped.handle.describe()).version).toBe(result.version)
    expect(await swapped.handle.appliedThrough(shadow.runId)).toBe(2)
    expect(await swapped.handle.appliedThrough(target.runId)).toBe(1)
    expect(await target.handle.appliedThrough(target.runId)).toBe(1)
  })

  test('a swapped table is written, pruned, evolved and maintained like any other', async () => {
    const target = await createTarget()
    const shadow = await createShadow(target.spec.name)
    const tag = { runId: shadow.runId, batchIndex: 2 }
    const [, swapped] = await swapIn(shadow, target.spec.name, tag)
    await swapped.upsert([newRow(101), newRow(900)])
    await swapped.append([newRow(901)])
    await swapped.expectStored()
    await swapped.handle.maintain()
    await swapped.expectStored()
    const query = await lake().watch(swapped.spec)
    for (const condition of ['id = 101', 'id > 899', "part = 'p 1/ü'", 'part IS NULL', 'note IS NULL']) {
      const [counted] = await query((from) => `SELECT count(*) AS n FROM ${from} WHERE ${condition}`)
      const [scanned] = await query(
        (from) =>
          `WITH rows AS MATERIALIZED (FROM ${from}) SELECT count(*) FILTER (${condition}) AS n FROM rows`,
      )
      expect([condition, counted]).toEqual([condition, scanned])
    }
    const columns = [...NEW, optional('more', 'bool')]
    await swapped.handle.evolve(columns)
    swapped.model.spec = { ...swapped.spec, columns }
    await swapped.upsert([{ ...newRow(102), more: true }])
    await swapped.handle.maintain()
    await swapped.expectStored()
  })

  test('a target that does not exist yet is made by the swap', async () => {
    const target = newTableName()
    const shadow = await createShadow(target)
    expect(await (await lake().backend()).stored(target)).toBeNull()
    const [, swapped] = await swapIn(shadow, target, { runId: shadow.runId, batchIndex: 2 })
    await swapped.expectStored()
    expect(await swapped.handle.appliedThrough(shadow.runId)).toBe(2)
    await swapped.upsert([newRow(100), newRow(200)])
    await swapped.expectStored()
  })

  test('a shadow without rows empties its target', async () => {
    const target = await createTarget()
    const shadow = await lake().createTable({ columns: NEW, primaryKey: ['id'], shadowOf: target.spec.name })
    const [, swapped] = await swapIn(shadow, target.spec.name, { runId: 'empty', batchIndex: 0 })
    await swapped.expectStored()
    await swapped.handle.maintain()
    await swapped.append([newRow(1)])
    await swapped.expectStored()
  })

  test('a table may be swapped again and again, by shadows of one name', async () => {
    const target = await createTarget()
    const shadow = await createShadow(target.spec.name)
    const [, swapped] = await swapIn(shadow, target.spec.name, { runId: 'first', batchIndex: 0 })
    await swapped.upsert([newRow(100), newRow(500)])
    const again = await lake().openTable({ ...shadow.spec, columns: OLD, partitionBy: null }, shadow.place)
    await again.append([oldRow(7)])
    await swapped.expectStored()
    const [, replaced] = await swapIn(again, target.spec.name, { runId: 'second', batchIndex: 0 })
    await replaced.expectStored()
    await replaced.handle.maintain()
    await replaced.append([oldRow(8)])
    await replaced.expectStored()
    expect(await replaced.handle.appliedThrough('first')).toBe(0)
  })

  test('a swap that is repeated changes nothing, and removes a shadow that was made since', async () => {
    const target = await createTarget()
    const shadow = await createShadow(target.spec.name)
    const tag = { runId: shadow.runId, batchIndex: 2 }
    const [first, swapped] = await swapIn(shadow, target.spec.name, tag)
    const other = await lake().connect()
    expect(await other.swap(shadow.spec.name, target.spec.name, tag)).toEqual({
      alreadyApplied: true,
      version: first.version,
    })
    const late = await lake().openTable(shadow.spec, shadow.place)
    await late.append([newRow(1)])
    await late.handle.close()
    const again = await other.swap(shadow.spec.name, target.spec.name, { ...tag, batchIndex: 1 })
    expect(again.alreadyApplied).toBe(true)
    expect(await other.stored(shadow.spec.name, shadow.place)).toBeNull()
    await swapped.expectStored()
  })

  test('of two swaps with one tag that run at once, one counts', async () => {
    const backends = [await lake().backend(), await lake().connect()]
    for (const round of [1, 2]) {
      const target = await createTarget()
      const shadow = await createShadow(target.spec.name)
      await shadow.handle.close()
      const tag = { runId: `run ${round}`, batchIndex: 0 }
      const results = await Promise.all(
        backends.map((backend) =>
          throughConflicts(() => backend.swap(shadow.spec.name, target.spec.name, tag)),
        ),
      )
      expect(results.filter(({ alreadyApplied }) => !alreadyApplied)).toHaveLength(1)
      const swapped = await lake().openTable({ ...shadow.spec, name: target.spec.name })
      swapped.model.apply('replace', shadow.model.rows)
      await swapped.expectStored()
    }
  })

  test('without a shadow there is nothing to swap, and the target stays', async () => {
    const target = await createTarget()
    const backend = await lake().backend()
    const call = backend.swap(newTableName(), target.spec.name, { runId: 'none', batchIndex: 0 })
    await expectFailure(call, 'TABLE_NOT_FOUND')
    expect(await target.handle.appliedThrough('none')).toBeNull()
    await target.expectStored()
  })

  test('a reader sees all of the old table or all of the new one', async () => {
    const target = await createTarget()
    const query = await lake().watch(target.spec)
    const seen: unknown[] = []
    const swapping = new AbortController()
    const watching = (async () => {
      while (!swapping.signal.aborted) {
        const [row] = await query(
          (from) => `SELECT concat_ws(' ', count(*), min(id), max(id)) AS counts FROM ${from}`,
        )
        seen.push(row?.['counts'])
        await sleep(5)
      }
    })()
    for (const [round, from] of [1_000, 2_000, 3_000].entries()) {
      const shadow = await createShadow(target.spec.name, ids(from, 30).map(newRow))
      await swapIn(shadow, target.spec.name, { runId: 'watched', batchIndex: round })
    }
    swapping.abort()
    await watching
    const whole = new Set(['21 0 50', '30 1000 1029', '30 2000 2029', '30 3000 3029'])
    expect([...new Set(seen)].filter((counts) => typeof counts !== 'string' || !whole.has(counts))).toEqual(
      [],
    )
    expect(seen.length).toBeGreaterThan(3)
  })
}
