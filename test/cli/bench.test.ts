import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ListBucketsCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { ARMS, type Arm } from '../../backends/backend.ts'
import { saying, TURNS_WANTED, WAITS } from '../../cli/bench/turns.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { s3Client } from '../../platform/services/s3/client.ts'
import { type Cell, parseResults } from '../../reports/schema.ts'
import { SCENARIOS } from '../../scenarios/catalogue.ts'
import { catalogPrefix } from '../../scenarios/runner/surroundings.ts'
import { openTestToxiproxy } from '../platform/services/network/network.ts'
import { lakeduel, serviceVariables } from './lakeduel.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-bench-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The bucket and the catalog schemas of a run that are still there. */
async function leftBehind(runId: string): Promise<readonly string[]> {
  const { s3, postgres } = inject('services')
  const client = s3Client(s3)
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}))
  client.destroy()
  const schemas = await withPostgres(postgres, (connection) =>
    connection.query<{ name: string }>(
      'SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, $1)',
      [catalogPrefix(runId)],
    ),
  )
  const buckets = Buckets.flatMap(({ Name }) => (Name?.includes(runId) ? [Name] : []))
  return [...buckets, ...schemas.rows.map(({ name }) => name)]
}

/** Resolves when a text has come out of a stream, which goes on afterwards. */
async function said(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  let heard = ''
  for (;;) {
    const [chunk] = await once(stream, 'data')
    heard += String(chunk)
    if (heard.includes(text)) return
  }
}

async function resultsIn(out: string) {
  return parseResults(await readFile(join(out, 'results.json'), 'utf8'))
}

describe('lakeduel bench', () => {
  const everyArm = ['merge-partitions', 'wide-json']
  /** Syncs, which are tested into both formats where they belong, and the search of settings: one arm shows that they run. */
  const oneArm: Readonly<Record<string, Arm>> = {
    'stripe-paging': 'delta/deltalite',
    deployment: 'ducklake/merge',
    nested: 'delta/deltalite',
    settings: 'ducklake/merge',
  }
  const others = SCENARIOS.map(({ name }) => name).filter((name) => !everyArm.includes(name))

  test('measures every arm, finds every table right, and leaves nothing behind', async () => {
    const out = join(folder, 'smoke')
    const run = await lakeduel(['bench', '--profile', 'smoke', '--scenario', everyArm.join(), '--out', out])
    expect(run.stderr).not.toContain('failed')
    expect(run.exitCode).toBe(0)
    const { cells, run: recorded } = await resultsIn(out)
    expect(await leftBehind(recorded.id)).toEqual([])
    expect(recorded.finishedAt).not.toBeNull()
    expect(cells).toHaveLength(ARMS.length * everyArm.length)
    const { node, 'ducklake loader': engine } = recorded.floors
    expect(node?.rssBytes[0]).toBeGreaterThan(20_000_000)
    expect(engine?.rssBytes[0]).toBeGreaterThan(node?.rssBytes[0] ?? 0)
    const unavailable: Readonly<Record<string, string>> = inject('services').sidecar?.unavailable ?? {}
    for (const cell of cells) {
      expect([cell.id, cell.status]).toEqual([
        cell.id,
        unavailable[cell.arm] === undefined ? 'ok' : 'skipped',
      ])
      if (cell.status !== 'ok') continue
      for (const phase of Object.values(cell.phases)) {
        expect(phase.wallMs).toBeGreaterThan(0)
        expect(phase.s3.status).toBe('measured')
      }
      const { apply } = cell.phases
      if (apply === undefined) continue
      expect(apply.cpuSeconds).toBeGreaterThan(0)
      expect(apply.memory.floorBytes).toBeGreaterThan(10_000_000)
      expect(cell.metrics['commits']?.value).toBeGreaterThan(0)
    }
    for (const arm of ARMS) expect(run.stdout).toContain(arm)
    const page = await readFile(join(out, 'report.html'), 'utf8')
    expect(page).toContain('ducklake/merge')
  }, 400_000)

  test.each(others)(
    'runs the scenario %s, and finds every table right',
    async (scenario) => {
      const out = join(folder, scenario)
      const one = oneArm[scenario]
      const arms = one === undefined ? ['ducklake/merge', 'delta/deltalite'] : [one]
      const run = await lakeduel([
        'bench',
        '--profile',
        'smoke',
        '--scenario',
        scenario,
        '--arm',
        arms.join(),
        '--out',
        out,
      ])
      expect(run.stderr).not.toContain('failed')
      const { cells } = await resultsIn(out)
      const unavailable: Readonly<Record<string, string>> = inject('services').sidecar?.unavailable ?? {}
      for (const cell of cells) {
        const expected = unavailable[cell.arm] === undefined ? 'ok' : 'skipped'
        expect([cell.id, cell.status]).toEqual([cell.id, expected])
      }
      expect(new Set(cells.map(({ arm }) => arm))).toEqual(new Set(arms))
    },
    400_000,
  )

  test('keeps finished cells when it is interrupted, leaves nothing behind, and measures the rest with --resume', async () => {
    const out = join(folder, 'interrupted')
    const running = lakeduel([
      'bench',
      '--profile',
      'smoke',
      '--scenario',
      'merge-partitions',
      '--arm',
      'ducklake/merge',
      '--repeat',
      '3',
      '--out',
      out,
    ])
    await said(running.stderr, '[1/3]')
    running.kill('SIGINT')
    const interrupted = await running
    expect(interrupted.exitCode).toBe(130)
    const kept = await resultsIn(out)
    expect(kept.cells.length).toBeGreaterThanOrEqual(1)
    expect(kept.cells.length).toBeLessThan(3)
    expect(kept.run.finishedAt).toBeNull()
    expect(await leftBehind(kept.run.id)).toEqual([])

    const resumed = await lakeduel(['bench', '--resume', out])
    expect(resumed.exitCode).toBe(0)
    const complete = await resultsIn(out)
    expect(complete.cells.map(({ repetition }) => repetition)).toEqual([0, 1, 2])
    expect(complete.cells.slice(0, kept.cells.length)).toEqual(kept.cells)
  }, 200_000)

  test('waits for its turn before each measurement, measures all cells once more when asked, and ends with its input', async () => {
    const out = join(folder, 'turns')
    const chosen = ['--scenario', 'merge-partitions', '--arm', 'ducklake/merge', '--repeat', '1']
    const running = lakeduel(
      ['bench', '--profile', 'smoke', ...chosen, '--out', out],
      { ...serviceVariables(), ...TURNS_WANTED },
      'pipe',
    )
    const waits: string[] = []
    for await (const line of createInterface({ input: running.stdout })) {
      const wait = WAITS.find((event) => line === saying(event))
      if (wait === undefined) continue
      waits.push(wait)
      if (waits.filter((event) => event === 'round').length === 2) running.stdin?.end()
      else running.stdin?.write('\n')
    }
    const run = await running
    expect(run.exitCode).toBe(0)
    expect(run.stderr.match(/making the ducklake table/g)).toHaveLength(1)
    const { cells, run: recorded } = await resultsIn(out)
    expect(cells.map(({ repetition, status }) => [repetition, status])).toEqual([
      [0, 'ok'],
      [1, 'ok'],
    ])
    const turnsOf = (cell: Cell | undefined) =>
      cell?.status === 'ok' ? Object.keys(cell.phases).flatMap(() => ['turn', 'measured']) : []
    expect(waits).toEqual([...turnsOf(cells[0]), 'round', ...turnsOf(cells[1]), 'round'])
    expect(await leftBehind(recorded.id)).toEqual([])
  }, 200_000)

  test('ends when its proxy dies, keeps what was measured before, and tells how to go on', async () => {
    const out = join(folder, 'proxy')
    const proxy = await openTestToxiproxy()
    const args = ['--scenario', 'merge-partitions', '--arm', 'ducklake/merge', '--repeat', '4']
    const running = lakeduel(
      [
        'bench',
        '--profile',
        'smoke',
        ...args,
        '--network',
        'same-region',
        '--axis',
        's3LatencyMs=15',
        '--out',
        out,
      ],
      { ...serviceVariables(), LAKEDUEL_TOXIPROXY: proxy.apiUrl },
    )
    await said(running.stderr, '[1/4]')
    await proxy[Symbol.asyncDispose]()
    const run = await running
    expect(run.exitCode).toBe(4)
    expect(run.stderr).toContain('Toxiproxy')
    expect(run.stderr).toContain(`--resume ${out}`)
    const { cells, run: recorded } = await resultsIn(out)
    expect(cells.every(({ status }) => status === 'ok')).toBe(true)
    expect(cells[0]?.status === 'ok' && cells[0].metrics).toHaveProperty(['network.s3AddedMs'])
    expect(recorded.network?.profile).toBe('same-region')
  }, 200_000)

  test('--json prints the results on stdout and nothing else', async () => {
    const run = await lakeduel([
      'bench',
      '--profile',
      'smoke',
      '--scenario',
      'wide-json',
      '--arm',
      'ducklake/delete-insert',
      '--json',
      '--out',
      join(folder, 'json'),
    ])
    expect(run.exitCode).toBe(0)
    expect(parseResults(run.stdout).cells).toHaveLength(1)
  }, 100_000)

  test('records a setting that was overridden, and refuses one that the arm does not have', async () => {
    const base = ['bench', '--profile', 'smoke', '--scenario', 'merge-partitions', '--arm', 'ducklake/merge']
    const out = join(folder, 'settings')
    const run = await lakeduel([...base, '--set', 'ducklake/merge.threads=1', '--out', out])
    expect(run.exitCode).toBe(0)
    expect((await resultsIn(out)).cells[0]?.settings['threads']).toBe(1)
    const refused = await lakeduel([
      ...base,
      '--set',
      'ducklake/merge.thread=1',
      '--out',
      join(folder, 'refused'),
    ])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('thread')
  }, 200_000)

  test('a pod that is too small is a result and not an error of the harness', async () => {
    const out = join(folder, 'small-pod')
    const run = await lakeduel([
      'bench',
      '--profile',
      'smoke',
      '--scenario',
      'merge-partitions',
      '--arm',
      'ducklake/merge',
      '--memory-cap',
      '64MiB',
      '--out',
      out,
    ])
    const { cells, environment, run: recorded } = await resultsIn(out)
    if (environment.pod.mechanism === 'none') return
    expect(['oom-killed', 'engine-error']).toContain(cells[0]?.status)
    expect(run.exitCode).toBe(0)
    expect(await leftBehind(recorded.id)).toEqual([])
  }, 100_000)

  const badInput: readonly {
    readonly what: string
    readonly args: readonly string[]
    readonly exitCode: number
    readonly says: string
  }[] = [
    {
      what: 'an unknown scenario',
      args: ['--scenario', 'merge-partition'],
      exitCode: 2,
      says: 'Did you mean "merge-partitions"?',
    },
    {
      what: 'an unknown arm',
      args: ['--arm', 'delta/merg'],
      exitCode: 2,
      says: 'Did you mean "delta/merge"?',
    },
    {
      what: 'an unknown profile',
      args: ['--profile', 'standart'],
      exitCode: 2,
      says: 'Did you mean "standard"?',
    },
    { what: 'a memory cap without a unit', args: ['--memory-cap', '1'], exitCode: 2, says: 'such as 512MiB' },
    {
      what: 'an unknown axis',
      args: ['--axis', 'partition=10'],
      exitCode: 2,
      says: 'Did you mean "partitions"?',
    },
    {
      what: 'an axis value that makes no sense',
      args: ['--scenario', 'merge-partitions', '--axis', 'partitions=-3'],
      exitCode: 2,
      says: 'takes no "-3"',
    },
    {
      what: 'an axis without values',
      args: ['--axis', 'partitions'],
      exitCode: 2,
      says: 'NAME=VALUE,VALUE',
    },
    {
      what: 'an unknown network',
      args: ['--network', 'same-regio'],
      exitCode: 2,
      says: 'Did you mean "same-region"?',
    },
    {
      what: 'points that a scenario leaves out',
      args: [
        '--scenario',
        'merge-partitions',
        '--profile',
        'standard',
        '--axis',
        'partitions=10',
        '--axis',
        's3LatencyMs=0',
      ],
      exitCode: 2,
      says: 'varies one axis at a time',
    },
    { what: 'zero repetitions', args: ['--repeat', '0'], exitCode: 2, says: 'whole number from 1' },
    { what: 'an unknown option', args: ['--scenarios', 'x'], exitCode: 2, says: '--scenario' },
    {
      what: 'a folder without results',
      args: ['--resume', 'nowhere'],
      exitCode: 2,
      says: 'no readable results file',
    },
  ]
  test.each(badInput)('refuses $what before any work begins', async ({ args, exitCode, says }) => {
    const run = await lakeduel(['bench', ...args])
    expect(run.stderr).toContain(says)
    expect(run.exitCode).toBe(exitCode)
    expect(run.stdout).toBe('')
  })

  test.each([
    ['is cut off', '{"schemaVersion": 1, "run": {'],
    ['has a wrong field', '{"schemaVersion": 1, "run": {"id": 7}}'],
    ['is of another version', '{"schemaVersion": 99}'],
  ])('refuses to resume a results file that %s, and leaves it as it is', async (_, text) => {
    const out = await mkdtemp(join(folder, 'corrupt-'))
    await writeFile(join(out, 'results.json'), text)
    const run = await lakeduel(['bench', '--resume', out])
    expect(run.exitCode).toBe(2)
    expect(run.stderr).toContain('results file cannot be read')
    expect(await readFile(join(out, 'results.json'), 'utf8')).toBe(text)
  })

  test('a dry run prints the cells and what they need, and runs nothing', async () => {
    const run = await lakeduel([
      'bench',
      '--scenario',
      'merge-partitions',
      '--profile',
      'smoke',
      '--dry-run',
      '--json',
    ])
    expect(run.exitCode).toBe(0)
    const printed = JSON.parse(run.stdout)
    expect(printed.cells).toHaveLength(ARMS.length)
    expect(printed.estimates[0].wallMs).toBeGreaterThan(0)
  })

  test('refuses to resume a run as another one', async () => {
    const out = join(folder, 'interrupted')
    const run = await lakeduel(['bench', '--resume', out, '--seed', '5'])
    expect(run.exitCode).toBe(2)
    expect(run.stderr).toContain('--seed 1, not 5')
  })

  test('names wrong S3 keys, and does not print them', async () => {
    const run = await lakeduel(['bench', '--profile', 'smoke'], {
      ...serviceVariables(),
      LAKEDUEL_S3_SECRET_ACCESS_KEY: 'wrong-secret-value',
    })
    expect(run.exitCode).toBe(4)
    expect(run.stderr).not.toContain('wrong-secret-value')
  })

  test('names a bucket that does not exist', async () => {
    const run = await lakeduel(['bench', '--profile', 'smoke'], {
      ...serviceVariables(),
      LAKEDUEL_S3_BUCKET: 'lakeduel-no-such-bucket',
    })
    expect(run.exitCode).toBe(4)
    expect(run.stderr).toContain('lakeduel-no-such-bucket')
  })

  test('two runs at once on the same services do not disturb one another', async () => {
    const one = (out: string) =>
      lakeduel([
        'bench',
        '--profile',
        'smoke',
        '--scenario',
        'merge-partitions',
        '--arm',
        'ducklake/merge',
        '--out',
        join(folder, out),
      ])
    const runs = await Promise.all([one('first'), one('second')])
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    for (const out of ['first', 'second']) {
      const { cells, run } = await resultsIn(join(folder, out))
      expect(cells.map(({ status }) => status)).toEqual(['ok'])
      expect(await leftBehind(run.id)).toEqual([])
    }
  }, 200_000)
})
