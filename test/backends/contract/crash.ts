import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ApplyMode } from '../../../backends/backend.ts'
import type { LakeType } from '../../../backends/schema.ts'
import { newTableName, type TestLake } from './lake.ts'
import { sorted } from './model.ts'
import type { EvolveRequest, SwapRequest } from './process.ts'
import { killDuring, runInProcess } from './process.ts'
import { optional, required } from './rows.ts'
import type { TestTable } from './table.ts'
import { applyThroughConflicts, throughConflicts } from './table.ts'

const COLUMNS = [required('id', 'int64'), required('part', 'string'), optional('note', 'string')]
const rows = (note: string, from: number) =>
  Array.from({ length: 60 }, (_, index) => ({ id: from + index, part: `p${(from + index) % 4}`, note }))

/** Moments of the kill, as shares of the time that an undisturbed apply takes. */
const [moments] = fc.sample(
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
  {
    seed: 20261122,
    numRuns: 1,
  },
)

export function crashTests(lake: () => TestLake): void {
  test.each([
    { mode: 'upsert' as const, partitionBy: 'part' },
    { mode: 'replace' as const, partitionBy: 'part' },
    // Without partitions the parts are registered.
    { mode: 'append' as const, partitionBy: null },
  ])(
    'a process that is killed in the middle of an $mode leaves the table before or after it',
    async ({ mode, partitionBy }) => {
      const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy })
      const durationMs = await undisturbed(table)
      for (const [attempt, moment] of (moments ?? []).entries()) {
        await killedAndRepaired(
          table,
          mode,
          rows(`attempt ${attempt}`, 30 * (attempt + 1)),
          moment * durationMs,
        )
      }
    },
  )
}

/** A swap is killed more often: on Delta its commit, and the clearing away after it, are a moment each. */
const [swapMoments] = fc.sample(
  fc.array(fc.double({ min: 0, max: 1.2, noNaN: true }), { minLength: 6, maxLength: 6 }),
  { seed: 20261126, numRuns: 1 },
)

export function swapCrashTests(lake: () => TestLake): void {
  const createShadow = async (shadowOf: string, from: number) => {
    const shadow = await lake().createTable({
      columns: COLUMNS,
      primaryKey: ['id'],
      partitionBy: 'part',
      shadowOf,
    })
    await shadow.append(rows('shadow', from))
    await shadow.handle.close()
    return shadow
  }
  const requestOf = (shadow: TestTable, target: string): SwapRequest => {
    const { arm, environment } = lake()
    const tag = { runId: shadow.runId, batchIndex: 1 }
    return { verb: 'swap', arm, environment, shadow: shadow.spec.name, target, tag }
  }

  test('a process that is killed in the middle of a swap leaves the old table or the new one, and is repeated', async () => {
    const target = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await target.append(rows('old', 0))
    const { name } = target.spec
    const { durationMs } = await runInProcess(requestOf(await createShadow(name, 0), name))
    let before = sorted(await target.stored())
    const backend = await lake().connect()
    for (const [attempt, moment] of (swapMoments ?? []).entries()) {
      const shadow = await createShadow(name, 1_000 * (attempt + 1))
      const request = requestOf(shadow, name)
      await killDuring(request, moment * durationMs)
      const after = sorted(shadow.model.rows)
      expect([before, after]).toContainEqual(sorted(await target.stored()))

      await throughConflicts(() => backend.swap(request.shadow, name, request.tag))
      expect(sorted(await target.stored())).toEqual(after)
      expect(await backend.stored(request.shadow, shadow.place)).toBeNull()
      expect(await backend.swap(request.shadow, name, request.tag)).toMatchObject({ alreadyApplied: true })
      await using swapped = await backend.open({ ...shadow.spec, name })
      expect(await swapped.appliedThrough(shadow.runId)).toBe(1)
      expect(await swapped.appliedThrough(target.runId)).toBe(0)
      await swapped.maintain()
      expect(sorted(await target.stored())).toEqual(after)
      before = after
    }
  })

  test('a shadow that is dropped after its swap was killed takes no file from the target', async () => {
    const name = newTableName()
    const { durationMs } = await runInProcess(requestOf(await createShadow(name, 0), name))
    const backend = await lake().backend()
    for (const share of [0.6, 0.8, 1]) {
      const shadow = await createShadow(name, 100_000 * share)
      const query = await lake().watch({ ...shadow.spec, name })
      const count = async () => JSON.stringify(await query((from) => `SELECT count(*), sum(id) FROM ${from}`))
      await killDuring(requestOf(shadow, name), share * durationMs)
      const left = await count()
      await throughConflicts(() => backend.drop(shadow.spec.name, shadow.place))
      expect(await count()).toBe(left)
      expect(await backend.stored(shadow.spec.name, shadow.place)).toBeNull()
    }
  })
}

/** What the table's id is widened to, one step for each kill. */
const STEPS: readonly LakeType[] = [
  { kind: 'decimal', precision: 19, scale: 0 },
  { kind: 'decimal', precision: 22, scale: 0 },
  { kind: 'decimal', precision: 25, scale: 0 },
  { kind: 'decimal', precision: 28, scale: 0 },
]

export function evolveCrashTests(lake: () => TestLake): void {
  test('a process that is killed in the middle of a widening leaves every row, and is repeated', async () => {
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy: 'part' })
    await table.append(rows('kept', 0))
    const { arm, environment } = lake()
    let durationMs = 0
    for (const [attempt, type] of STEPS.entries()) {
      const columns = [required('id', type), ...COLUMNS.slice(1)]
      const request: EvolveRequest = { verb: 'evolve', arm, environment, spec: table.spec, columns }
      await table.handle.close()
      if (attempt === 0) durationMs = (await runInProcess(request)).durationMs
      else await killDuring(request, (moments?.[attempt - 1] ?? 0) * durationMs)
      await table.expectStored()
      const backend = await lake().backend()
      const stored = await backend.stored(table.spec.name)
      table.handle = await backend.open({ ...table.spec, columns: stored?.columns ?? [] })
      await throughConflicts(() => table.handle.evolve(columns))
      table.model.spec = { ...table.spec, columns }
      await table.upsert(rows(`widened ${attempt}`, 30 * attempt))
      await table.expectStored()
    }
  })
}

async function undisturbed(table: TestTable): Promise<number> {
  const request = table.requestOf(await table.stage(rows('first', 0)), 'upsert', table.nextTag())
  const { durationMs } = await runInProcess(request)
  table.model.apply('upsert', rows('first', 0))
  return durationMs
}

async function killedAndRepaired(
  table: TestTable,
  mode: ApplyMode,
  batchRows: ReturnType<typeof rows>,
  delayMs: number,
): Promise<void> {
  const batch = await table.stage(batchRows)
  const tag = table.nextTag()
  await killDuring(table.requestOf(batch, mode, tag), delayMs)
  const after = table.model.after(mode, batchRows)
  const { capabilities } = await table.lake.backend()
  if (capabilities.atomicUpserts || mode !== 'upsert') {
    expect([sorted(table.model.rows), sorted(after.rows)]).toContainEqual(sorted(await table.stored()))
  }
  await table.reopen()
  await applyThroughConflicts(table.handle, batch, mode, tag)
  table.model.apply(mode, batchRows)
  await table.expectStored()
  expect(await table.handle.appliedThrough(table.runId)).toBe(tag.batchIndex)
}
