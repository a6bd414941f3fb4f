import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Arm } from '../../../backends/backend.ts'
import type { FaultPoint } from '../../../pipeline/faults.ts'
import { processTree } from '../../../scenarios/import/process-tree.ts'
import { type Contents, TestLake } from './lake.ts'

const FORMATS: readonly Arm[] = ['ducklake/merge', 'delta/merge-loop']
const ROWS = 3_000
const QUICK = ['--claim-ttl', '2s', '--retry-backoff', '100ms', '--grace', '5s', '--json', '--wait']

/** Where a process is killed each time that it gets there, and in which kind of sync that is. */
const KILLS: readonly (readonly [point: FaultPoint, mode: 'incremental' | 'full-refresh'])[] = [
  ['mid-upload', 'incremental'],
  ['after-staging-before-queueing', 'full-refresh'],
  ['after-queueing-before-cursor', 'incremental'],
  ['before-apply', 'full-refresh'],
  ['after-commit-before-ack', 'full-refresh'],
  ['after-commit-before-ack', 'incremental'],
  ['during-switch', 'full-refresh'],
  ['after-switch-before-done', 'full-refresh'],
]

const LOAD_POINTS: ReadonlySet<FaultPoint> = new Set([
  'after-commit-before-ack',
  'during-switch',
  'after-switch-before-done',
])

const eventSchema = z.looseObject({
  event: z.string(),
  batchIndex: z.int().optional(),
  sliced: z.boolean().optional(),
})

async function syncFlags(lake: TestLake, arm: Arm, mode: string): Promise<readonly string[]> {
  const table = { name: 'events', rows: ROWS, pageRows: 200, pagesAreDear: true, columns: ['int64', 'json'] }
  const source = await lake.source('synthetic', { seed: 3, tables: [table] })
  const target = ['--to', arm, '--mode', mode, '--table', 'events', '--partition', 'md5:id:3']
  return ['sync', ...source, ...target, '--batch-rows', '1000', ...QUICK]
}

async function undisturbed(arm: Arm, mode: string): Promise<Contents> {
  await using lake = await TestLake.open()
  const { exitCode, stderr } = await lake.run(await syncFlags(lake, arm, mode))
  expect(exitCode, stderr).toBe(0)
  return await lake.contents(arm, 'events')
}

describe.each(FORMATS)('a sync to %s', (arm) => {
  const expected = new Map<string, Promise<Contents>>()
  const contentsOf = (mode: string) => {
    const known = expected.get(mode) ?? undisturbed(arm, mode)
    expected.set(mode, known)
    return known
  }

  // What comes before the load is the same for both formats.
  const kills = arm === FORMATS[0] ? KILLS : KILLS.filter(([point]) => LOAD_POINTS.has(point))
  test.each(kills)(
    'that is killed %s (%s) ends like one that is not',
    async (point, mode) => {
      await using lake = await TestLake.open()
      const flags = await syncFlags(lake, arm, mode)
      const killed = await lake.run(flags, { LAKEDUEL_FAULT: `${point}:kill` })
      expect(`${killed.stdout}${killed.stderr}`).toMatch(/died|workers_lost|SIDECAR_DIED/)
      const { exitCode, stderr } = await lake.run(flags)
      expect(exitCode, stderr).toBe(0)
      expect(await lake.contents(arm, 'events')).toEqual(await contentsOf(mode))
    },
    240_000,
  )

  test('whose worker is thought dead, and whose batch another one applies, writes it once', async () => {
    await using lake = await TestLake.open()
    const flags = await syncFlags(lake, arm, 'incremental')
    expect((await lake.run([...flags, '--no-worker'])).exitCode).toBe(0)
    const stalled = lake.run(['worker', '--claim-ttl', '2s'], { LAKEDUEL_FAULT: 'before-apply:stall=9000' })
    const load = await childOf(stalled.pid ?? 0, 'load')
    // It no longer says that it lives, while its load process goes on and commits when it wakes.
    process.kill(stalled.pid ?? 0, 'SIGSTOP')
    const { exitCode, stderr } = await lake.run(flags)
    expect(exitCode, stderr).toBe(0)
    await sleep(9_000)
    process.kill(stalled.pid ?? 0, 'SIGCONT')
    stalled.kill('SIGTERM')
    expect((await stalled).exitCode).toBe(0)
    expect(load).toBeGreaterThan(0)
    expect(await lake.contents(arm, 'events')).toEqual(await contentsOf('incremental'))
  }, 240_000)

  test('whose worker is killed with all that it started begins the batch anew in halves', async () => {
    await using lake = await TestLake.open()
    const flags = await syncFlags(lake, arm, 'incremental')
    expect((await lake.run([...flags, '--no-worker'])).exitCode).toBe(0)
    const worker = ['worker', '--claim-ttl', '2s', '--json']
    const doomed = lake.run(worker, { LAKEDUEL_FAULT: 'before-apply:stall' })
    await childOf(doomed.pid ?? 0, 'load')
    for (const { pid } of processTree(doomed.pid ?? 0)) process.kill(pid, 'SIGKILL')
    await doomed
    const next = lake.run(worker)
    const sliced = new Map<number, boolean>()
    for await (const line of next.iterable({ from: 'stderr' })) {
      if (!line.startsWith('{')) continue
      const { event, batchIndex, sliced: inSlices } = eventSchema.parse(JSON.parse(line))
      if (event === 'committed') sliced.set(batchIndex ?? -1, inSlices ?? false)
      if (event === 'finished') next.kill('SIGTERM')
    }
    expect(Object.fromEntries(sliced)).toEqual({ 0: true, 1: false, 2: false })
    expect(await lake.contents(arm, 'events')).toEqual(await contentsOf('incremental'))
  }, 240_000)

  test('that is told to stop hands over what it has, and its successor goes on there', async () => {
    await using lake = await TestLake.open()
    const table = {
      name: 'events',
      rows: ROWS,
      pageRows: 200,
      pagesAreDear: true,
      delayMs: 150,
      columns: ['int64', 'json'],
    }
    const source = await lake.source('synthetic', { seed: 3, tables: [table] })
    const flags = [
      'sync',
      ...source,
      '--to',
      arm,
      '--table',
      'events',
      '--partition',
      'md5:id:3',
      '--mode',
      'incremental',
      ...QUICK,
    ]
    const first = lake.run(flags)
    await childOf(first.pid ?? 0, 'extractor')
    await sleep(3_000)
    first.kill('SIGTERM')
    const drained = await first
    expect([drained.exitCode, drained.stdout]).toEqual([0, expect.stringContaining('"status": "drained"')])
    expect((await lake.run(flags)).exitCode).toBe(0)
    expect(await lake.contents(arm, 'events')).toEqual(await contentsOf('incremental'))
  }, 240_000)
})

/** Waits for a process of a role below another one, and returns its id. */
async function childOf(root: number, role: string): Promise<number> {
  for (;;) {
    const found = processTree(root).find((process) => process.role === role)
    if (found !== undefined) return found.pid
    await sleep(50)
  }
}
