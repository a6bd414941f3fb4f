import type { Point } from '../reports/schema.ts'
import { InvoiceImport } from './import/invoice-import.ts'
import { killMoments } from './import/kill-moments.ts'
import { onePerFormat } from './import/one-per-format.ts'
import { assertDone } from './import/sync-command.ts'
import { judged, lossMetrics } from './import/verdict.ts'
import { cost, duration, work } from './measure/metric.ts'
import type { Lab, Measured, Parameters, PlannedCell, ProfileSpec, Scenario } from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'

const MINUTE_MS = 60_000
const GIB = 2 ** 30
const LINES = 'invoice_line_items'
const PARENTS = ['stored', 'listed'] as const

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const invoices = numberAt(cell.point, 'invoices')
  const expected = await lab.shared(`lines ${cell.arm} ${invoices}`, async () => {
    await using undisturbed = await InvoiceImport.open(lab, cell.arm, invoices)
    await importLines(undisturbed, cell, lab, 0)
    return await undisturbed.lake.contents(cell.arm, LINES)
  })
  await using importing = await InvoiceImport.open(lab, cell.arm, invoices)
  if (nameAt(cell.point, 'parents') === 'stored') {
    lab.enter('parents')
    assertDone(await importing.start('invoices', []).end())
  }
  lab.enter('lines')
  const before = await apiCalls(importing)
  const wantedKills = numberAt(cell.point, 'kills')
  const { wallMs, kills } = await lab.alone(() => importLines(importing, cell, lab, wantedKills))
  const calls = (await apiCalls(importing)) - before
  lab.enter('oracle')
  const found = await importing.lake.contents(cell.arm, LINES)
  return {
    metrics: {
      wallMs: duration(wallMs),
      kills: work(kills),
      apiCalls: cost(calls),
      lines: work(Number(found.rows)),
      ...lossMetrics(found, expected),
    },
    series: {},
    ...judged(found, expected),
  }
}

async function apiCalls(importing: InvoiceImport): Promise<number> {
  const { requests } = await importing.stats()
  return Object.values(requests).reduce((sum, count) => sum + count, 0)
}

/** Imports the lines; kills everything at shares of the API calls that an undisturbed import takes, and starts it again. */
async function importLines(
  importing: InvoiceImport,
  { point, repetition }: PlannedCell,
  lab: Lab,
  wantedKills: number,
): Promise<{ readonly wallMs: number; readonly kills: number }> {
  const startedAt = performance.now()
  let kills = 0
  for (const share of killMoments(wantedKills, lab.seed + repetition)) {
    const sync = importing.start(LINES, [])
    const target = (await apiCalls(importing)) + share * Math.max(2, numberAt(point, 'invoices') / 100)
    if (await sync.reached(async () => (await apiCalls(importing)) >= target)) {
      sync.kill()
      kills += 1
    }
    await sync.end()
  }
  assertDone(await importing.start(LINES, []).end())
  return { wallMs: performance.now() - startedAt, kills }
}

interface Size {
  readonly apiLatencyMs: number
  readonly invoices: readonly number[]
  readonly kills: readonly number[]
  readonly minutes: number
}

function sized({ apiLatencyMs, invoices, kills, minutes }: Size): ProfileSpec {
  return {
    axes: { parents: PARENTS, invoices, kills },
    parameters: { apiLatencyMs },
    repeat: 1,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(point: Point, parameters: Parameters) {
  const pages = numberAt(point, 'invoices') / 100
  const wallMs =
    8_000 + pages * (parameter(parameters, 'apiLatencyMs') + 30) + numberAt(point, 'kills') * 6_000
  const diskBytes = numberAt(point, 'invoices') * 8_000
  return {
    shared: { wallMs, memoryBytes: 2 * GIB, diskBytes },
    cell: { wallMs: 2 * wallMs, memoryBytes: 2 * GIB, diskBytes: 2 * diskBytes },
  }
}

export const nested: Scenario = {
  name: 'nested',
  question: 'Are line items imported sooner from the stored invoices, or by listing the invoices again?',
  description:
    'Imports invoice line items with the official client, their invoices taken from the table that is stored already or listed from the API; then with kills.',
  measures:
    'API calls, time to done, rows lost and doubled; over the number of invoices, from where on the stored table is cheaper',
  axes: [
    {
      name: 'parents',
      unit: null,
      description: 'where the invoices are taken from',
      accepts: (value) => PARENTS.some((name) => name === value),
    },
    {
      name: 'invoices',
      unit: 'rows',
      description: 'invoices whose lines are imported',
      accepts: (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 10_000_000,
    },
    {
      name: 'kills',
      unit: null,
      description: 'how often the whole import of the lines is killed',
      accepts: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 100,
    },
  ],
  profiles: {
    smoke: sized({ apiLatencyMs: 5, invoices: [800], kills: [0], minutes: 2 }),
    quick: sized({ apiLatencyMs: 5, invoices: [800, 3_000], kills: [0], minutes: 4 }),
    standard: sized({ apiLatencyMs: 20, invoices: [400, 4_000], kills: [0], minutes: 10 }),
    full: sized({
      apiLatencyMs: 100,
      invoices: [400, 2_000, 10_000, 100_000],
      kills: [0, 1, 5],
      minutes: 60,
    }),
  },
  excludes: (arm, point, profile) => {
    if (profile === 'smoke' && nameAt(point, 'parents') === 'listed')
      return 'the smoke profile reads stored parents'
    return onePerFormat(arm)
  },
  estimate,
  run,
}
