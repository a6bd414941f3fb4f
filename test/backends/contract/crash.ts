import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ApplyMode } from '../../../backends/backend.ts'
import type { TestLake } from './lake.ts'
import { sorted } from './model.ts'
import { killDuring, runInProcess } from './process.ts'
import { optional, required } from './rows.ts'
import type { TestTable } from './table.ts'
import { applyThroughConflicts } from './table.ts'

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
  test.each(['upsert', 'replace'] as const)(
    'a process that is killed in the middle of an %s leaves the table before or after it',
    async (mode) => {
      const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy: 'part' })
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
