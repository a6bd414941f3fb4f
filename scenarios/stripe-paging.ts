import { Random } from '../pipeline/sources/random.ts'
import type { Finding, Metric, Point } from '../reports/schema.ts'
import type { Contents } from './import/contents.ts'
import { ImportLake } from './import/import-lake.ts'
import { onePerFormat } from './import/one-per-format.ts'
import { StripeProcess } from './import/stripe-process.ts'
import { assertDone, RunningSync } from './import/sync-command.ts'
import { cost, duration, ratio, work } from './measure/metric.ts'
import type { Lab, Measured, Parameters, PlannedCell, ProfileSpec, Scenario } from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'

const MINUTE_MS = 60_000
const GIB = 2 ** 30
const PAGE_ROWS = 100
const AFTER_KILL = ['resume', 'restart'] as const
const MODES = ['full-refresh', 'incremental'] as const

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const invoices = parameter(lab.parameters, 'invoices')
  const expected = await lab.shared(`undisturbed ${cell.arm}`, () => undisturbed(cell, lab, invoices))
  lab.enter('import')
  await using server = await startServer(lab, invoices)
  const importing = new Importing(cell, lab, server)
  await using lake = await importing.toTheEnd(numberAt(cell.point, 'kills'), nameAt(cell.point, 'afterKill'))
  lab.enter('oracle')
  const found = await lake.contents(cell.arm, 'invoices')
  const { pages, pagesRepeated } = await server.stats()
  const needed = Math.ceil(invoices / PAGE_ROWS)
  return {
    metrics: {
      wallMs: duration(importing.wallMs),
      kills: work(importing.kills),
      pagesNeeded: work(needed),
      pagesFetched: cost(pages['invoices'] ?? 0),
      pagesRepeated: cost(pagesRepeated['invoices'] ?? 0),
      pagesToNeededRatio: ratio((pages['invoices'] ?? 0) / needed, 'count'),
      ...lossMetrics(found, expected),
    },
    series: {},
    ...judged(found, expected),
  }
}

function startServer(lab: Lab, invoices: number): Promise<StripeProcess> {
  const latencyMs = parameter(lab.parameters, 'apiLatencyMs')
  return StripeProcess.start(lab.surroundings.entries.stripeServer, {
    counts: { invoices },
    faults: { latencyMs },
  })
}

/** What the table holds when nobody is killed. */
async function undisturbed(cell: PlannedCell, lab: Lab, invoices: number): Promise<Contents> {
  await using server = await startServer(lab, invoices)
  const importing = new Importing(cell, lab, server)
  await using lake = await importing.toTheEnd(0, 'resume')
  return await lake.contents(cell.arm, 'invoices')
}

/** Runs a sync, kills all of its processes at chosen pages, and starts it again, until it is done. */
class Importing {
  readonly #cell: PlannedCell
  readonly #lab: Lab
  readonly #server: StripeProcess
  kills = 0
  wallMs = 0

  constructor(cell: PlannedCell, lab: Lab, server: StripeProcess) {
    this.#cell = cell
    this.#lab = lab
    this.#server = server
  }

  /** @param afterKill `restart`: a killed sync has left nothing that its successor could go on with */
  async toTheEnd(kills: number, afterKill: string): Promise<ImportLake> {
    const needed = Math.ceil(parameter(this.#lab.parameters, 'invoices') / PAGE_ROWS)
    const moments = killMoments(kills, this.#lab.seed + this.#cell.repetition).map((share) => share * needed)
    const startedAt = performance.now()
    let lake = await ImportLake.open(this.#lab)
    for (const moment of moments) {
      const sync = this.#start(lake)
      const from = afterKill === 'restart' ? await this.#pages() : 0
      const ended = sync.end()
      if (await sync.reached(async () => (await this.#pages()) >= from + moment)) {
        sync.kill()
        this.kills += 1
      }
      await ended
      if (afterKill !== 'restart') continue
      await lake[Symbol.asyncDispose]()
      lake = await ImportLake.open(this.#lab)
    }
    assertDone(await this.#start(lake).end())
    this.wallMs = performance.now() - startedAt
    return lake
  }

  #start(lake: ImportLake): RunningSync {
    const { arm, point } = this.#cell
    const source = ['--source', 'stripe', '--set', `baseUrl=${this.#server.url}`, '--table', 'invoices']
    const mode = ['--mode', nameAt(point, 'mode'), '--partition', 'none']
    return new RunningSync(this.#lab, { args: [...source, ...mode, '--to', arm], env: lake.variables })
  }

  async #pages(): Promise<number> {
    return (await this.#server.stats()).pages['invoices'] ?? 0
  }
}

/** Shares of the whole at which to kill, ascending, from a seed. */
export function killMoments(kills: number, seed: number): readonly number[] {
  const numbers = new Random(seed)
  return Array.from({ length: kills }, () => 0.05 + 0.9 * numbers.share()).toSorted((a, b) => a - b)
}

function lossMetrics(found: Contents, expected: Contents): Record<string, Metric> {
  return {
    rowsLost: cost(Math.max(0, Number(expected.keys) - Number(found.keys))),
    rowsDoubled: cost(Number(found.rows) - Number(found.keys)),
  }
}

/** Compares with an undisturbed import: an independent reader's rows, keys and content. */
export function judged(found: Contents, expected: Contents): Pick<Measured, 'findings' | 'oracle'> {
  const checks = ['rows', 'keys', 'hash'] as const
  const findings: Finding[] = checks
    .filter((check) => found[check] !== expected[check])
    .map((check) => ({ check, expected: expected[check], actual: found[check] }))
  const oracle = {
    rows: Number(found.rows),
    distinctKeys: Number(found.keys),
    contentHash: found.hash,
    checks: [...checks],
  }
  return { findings, oracle }
}

interface Size {
  readonly invoices: number
  readonly apiLatencyMs: number
  readonly kills: readonly number[]
  readonly mode: readonly string[]
  readonly minutes: number
}

function sized({ kills, mode, minutes, ...parameters }: Size): ProfileSpec {
  return {
    axes: { kills, afterKill: AFTER_KILL, mode },
    parameters,
    repeat: 1,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(point: Point, parameters: Parameters) {
  const pages = parameter(parameters, 'invoices') / PAGE_ROWS
  const onceMs = 8_000 + pages * (parameter(parameters, 'apiLatencyMs') + 8)
  const kills = numberAt(point, 'kills')
  const again = nameAt(point, 'afterKill') === 'restart' ? 1 + kills / 2 : 1
  const diskBytes = parameter(parameters, 'invoices') * 4_000
  return {
    shared: { wallMs: onceMs, memoryBytes: 2 * GIB, diskBytes },
    cell: { wallMs: onceMs * again + kills * 6_000, memoryBytes: 2 * GIB, diskBytes: diskBytes * again },
  }
}

export const stripePaging: Scenario = {
  name: 'stripe-paging',
  question: 'What does a kill cost an import that pages an API a hundred rows at a time?',
  description:
    'Imports invoices from a Stripe-protocol server with the official client, kills all processes of the import at seeded pages, and starts it again; with what was kept, or from nothing.',
  measures:
    'pages fetched for each page needed, time to done, rows lost and doubled against an undisturbed import',
  axes: [
    {
      name: 'kills',
      unit: null,
      description: 'how often the whole import is killed',
      accepts: (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1_000,
    },
    {
      name: 'afterKill',
      unit: null,
      description: 'whether it goes on where it was, or begins again',
      accepts: (value) => AFTER_KILL.some((name) => name === value),
    },
    {
      name: 'mode',
      unit: null,
      description: 'how rows come into the table',
      accepts: (value) => MODES.some((name) => name === value),
    },
  ],
  profiles: {
    smoke: sized({ invoices: 1_000, apiLatencyMs: 5, kills: [1], mode: ['incremental'], minutes: 2 }),
    quick: sized({ invoices: 10_000, apiLatencyMs: 5, kills: [0, 2], mode: ['incremental'], minutes: 4 }),
    standard: sized({ invoices: 30_000, apiLatencyMs: 5, kills: [0, 3], mode: MODES, minutes: 10 }),
    full: sized({ invoices: 1_000_000, apiLatencyMs: 5, kills: [0, 10, 60], mode: MODES, minutes: 60 }),
  },
  excludes: (arm, point, profile) => {
    if (numberAt(point, 'kills') === 0 && nameAt(point, 'afterKill') === 'restart') return 'nothing is killed'
    if (profile === 'smoke' && nameAt(point, 'afterKill') === 'restart')
      return 'the smoke profile only resumes'
    return onePerFormat(arm)
  },
  estimate,
  run,
}
