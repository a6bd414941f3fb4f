import { expect, test } from 'vitest'
import { planMemory } from '../../../../backends/delta/duckdb/memory.ts'
import { duckDbDefaults } from '../../../../backends/delta/duckdb/settings.ts'

const MIB = 2 ** 20
const ROW_GROUP_BYTES = 16 * MIB
const partition = { index: 0, text: null, condition: 'true', rows: 1 }
const jobOf = (bytes: number, rows: number | null) => ({
  partition,
  files: [{ index: 0, partitionIndex: 0, path: '', uri: '', bytes, rows }],
  takesBatch: true,
})

/** The settings look at nothing else of an environment. */
const settingsIn = (memoryBudgetBytes: number) => ({
  ...duckDbDefaults({ memoryBudgetBytes, threads: 2 }),
  parallelFiles: 3,
})

test('narrow files are written beside one another, and with less memory than may be used', () => {
  const settings = settingsIn(1024 * MIB)
  const plan = planMemory(settings, [jobOf(MIB, 10_000), jobOf(2 * MIB, 20_000)], 5 * MIB, ROW_GROUP_BYTES)
  expect(plan.parallelJobs).toBe(3)
  expect(plan.memoryLimitBytes).toBeLessThan(settings.memoryLimitBytes)
})

test('the wider a row, the fewer files are written at once', () => {
  const parallelWith = (rowBytes: number) => {
    const job = jobOf((rowBytes * 10) / 8, 10)
    return planMemory(settingsIn(1024 * MIB), [job], 200 * MIB, ROW_GROUP_BYTES).parallelJobs
  }
  expect([1, 5, 30, 200].map((mib) => parallelWith(mib * MIB))).toEqual([3, 3, 1, 1])
})

test('no plan exceeds what may be used, in the smallest pod as well', () => {
  for (const budgetBytes of [64 * MIB, 256 * MIB, 2048 * MIB]) {
    const settings = settingsIn(budgetBytes)
    const plan = planMemory(settings, [jobOf(500 * MIB, 10)], 500 * MIB, ROW_GROUP_BYTES)
    expect(plan).toEqual({ memoryLimitBytes: settings.memoryLimitBytes, parallelJobs: 1 })
    expect(settings.memoryLimitBytes).toBeGreaterThanOrEqual(64 * MIB)
  }
})
