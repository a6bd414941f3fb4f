import type { Point } from '../reports/schema.ts'
import type { Contents } from './import/contents.ts'
import { InvoiceImport } from './import/invoice-import.ts'
import { killMoments } from './import/kill-moments.ts'
import { onePerFormat } from './import/one-per-format.ts'
import { assertDone } from './import/sync-command.ts'
import { judged, lossMetrics } from './import/verdict.ts'
import { cost, duration, ratio, work } from './measure/metric.ts'
import type { Lab, Measured, Parameters, PlannedCell, ProfileSpec, Scenario } from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'

const MINUTE_MS = 60_000
const GIB = 2 ** 30
const PAGE_ROWS = 100
const AFTER_KILL = ['resume', 'restart'] as const
const MODES = ['full-refresh', 'incremental'] as const

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const expected = await lab.shared(`undisturbed ${cell.arm}`, () => undisturbed(cell, lab))
  lab.enter('import')
  await using importing = await InvoiceImport.open(lab, cell.arm, parameter(lab.parameters, 'invoices'))
  const wantedKills = numberAt(cell.point, 'kills')
  const { wallMs, kills } = await lab.alone(() => importThrough(importing, cell, lab, wantedKills))
  lab.enter('oracle')
  const found = await importing.lake.contents(cell.arm, 'invoices')
  const { pages, pagesRepeated } = await importing.stats()
  const needed = pagesNeeded(lab)
  return {
    metrics: {
      wallMs: duration(wallMs),
      kills: work(kills),
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

function pagesNeeded({ parameters }: Lab): number {
  return Math.ceil(parameter(parameters, 'invoices') / PAGE_ROWS)
}

/** What the table holds when nobody is killed. */
async function undisturbed(cell: PlannedCell, lab: Lab): Promise<Contents> {
  await using importing = await InvoiceImport.open(lab, cell.arm, parameter(lab.parameters, 'invoices'))
  await importThrough(importing, cell, lab, 0)
  return await importing.lake.contents(cell.arm, 'invoices')
}

/**
 * Runs an import, kills all of its processes at seeded pages, and starts it again, until it is done; where the cell says
 * `restart`, what a killed one left is thrown away.
 */
async function importThrough(
  importing: InvoiceImport,
  cell: PlannedCell,
  lab: Lab,
  wantedKills: number,
): Promise<{ readonly wallMs: number; readonly kills: number }> {
  const restarts = nameAt(cell.point, 'afterKill') === 'restart'
  const startedAt = performance.now()
  let kills = 0
  for (const share of killMoments(wantedKills, lab.seed + cell.repetition)) {
    const sync = importing.start('invoices', ['--mode', nameAt(cell.point, 'mode')])
    const target = (restarts ? await importing.pages() : 0) + share * pagesNeeded(lab)
    if (await sync.reached(async () => (await importing.pages()) >= target)) {
      sync.kill()
      kills += 1
    }
    await sync.end()
    if (restarts) await importing.leaveLake()
  }
  assertDone(await importing.start('invoices', ['--mode', nameAt(cell.point, 'mode')]).end())
  return { wallMs: performance.now() - startedAt, kills }
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
    standard: sized({
      invoices: 10_000,
      apiLatencyMs: 5,
      kills: [0, 3],
      mode: ['full-refresh'],
      minutes: 10,
    }),
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
