import { expect, test } from 'vitest'
import { memoryToLoad, planMemory } from '../../../../backends/delta/duckdb/memory.ts'
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
  const batch = { heldBytes: 5 * MIB, bytesPerRow: 100 }
  const plan = planMemory(settings, [jobOf(MIB, 10_000), jobOf(2 * MIB, 20_000)], batch, ROW_GROUP_BYTES)
  expect(plan.parallelJobs).toBe(3)
  expect(plan.memoryLimitBytes).toBeLessThan(settings.memoryLimitBytes)
})

test('the wider a row, the fewer files are written at once', () => {
  const parallelWith = (rowBytes: number) => {
    const stored = jobOf((rowBytes * 10) / 8, 10)
    const brought = { ...jobOf(0, null), files: [] }
    const batch = { heldBytes: 16 * MIB, bytesPerRow: rowBytes }
    const [ofStored, ofBrought] = [{ ...stored, takesBatch: false }, brought].map(
      (job) => planMemory(settingsIn(1024 * MIB), [job], batch, ROW_GROUP_BYTES).parallelJobs,
    )
    expect(ofBrought).toBe(ofStored)
    return ofStored
  }
  expect([1, 5, 30, 200].map((mib) => parallelWith(mib * MIB))).toEqual([3, 3, 2, 1])
})

test('a batch that DuckDB must deal out is loaded with the more memory the wider its rows are', () => {
  const limitWith = (rowBytes: number) =>
    memoryToLoad(settingsIn(4096 * MIB), { heldBytes: 0, bytesPerRow: rowBytes }, 10, ROW_GROUP_BYTES)
  expect(limitWith(30 * MIB) - limitWith(1 * MIB)).toBeGreaterThan(30 * MIB)
  expect(limitWith(200 * MIB)).toBeGreaterThan(2 * limitWith(30 * MIB))
})

test('no plan exceeds what may be used, in the smallest pod as well', () => {
  for (const budgetBytes of [64 * MIB, 256 * MIB, 2048 * MIB]) {
    const settings = settingsIn(budgetBytes)
    const batch = { heldBytes: 500 * MIB, bytesPerRow: 50 * MIB }
    const plan = planMemory(settings, [jobOf(500 * MIB, 10)], batch, ROW_GROUP_BYTES)
    expect(plan).toEqual({ memoryLimitBytes: settings.memoryLimitBytes, parallelJobs: 1 })
    expect(settings.memoryLimitBytes).toBeGreaterThanOrEqual(64 * MIB)
  }
})
