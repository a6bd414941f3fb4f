import { setTimeout as sleep } from 'node:timers/promises'
import type { Metric, Point } from '../reports/schema.ts'
import type { Contents } from './import/contents.ts'
import { InvoiceImport } from './import/invoice-import.ts'
import { killMoments } from './import/kill-moments.ts'
import { onePerFormat } from './import/one-per-format.ts'
import { assertDone, type RunningSync, type SyncEnd } from './import/sync-command.ts'
import { judged } from './import/verdict.ts'
import { cost, duration, memory, ratio, work } from './measure/metric.ts'
import type { Lab, Measured, Parameters, PlannedCell, ProfileSpec, Scenario } from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'

const MINUTE_MS = 60_000
const GIB = 2 ** 30
const PAGE_ROWS = 100
/** What the pod of today reserves for one job that is still running in it. */
const LARGE_POD_BYTES = 30 * GIB
const SMALL_PODS = ['--extractor-memory', '768MiB', '--loader-memory', '2GiB']
const SMALL_PODS_BYTES = 0.75 * GIB + 2 * GIB
const ROLLOUTS = ['terminate', 'kill', 'linger'] as const

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const expected = await lab.shared(`undisturbed ${cell.arm}`, () => undisturbed(cell, lab))
  await using importing = await InvoiceImport.open(lab, cell.arm, parameter(lab.parameters, 'invoices'))
  lab.enter('rollout')
  const { ends, drainMs } = await lab.alone(() => rollOut(importing, cell, lab))
  lab.enter('oracle')
  const found = await importing.lake.contents(cell.arm, 'invoices')
  const { pagesRepeated } = await importing.stats()
  return {
    metrics: {
      wallMs: duration(ends.reduce((sum, { wallMs }) => sum + wallMs, 0)),
      pagesFetchedAgain: cost(pagesRepeated['invoices'] ?? 0),
      drainedInTime: work(ends[0]?.exitCode === 0 ? 1 : 0),
      ...(drainMs !== null && { drainMs: duration(drainMs) }),
      ...reservation(cell.point, ends, drainMs),
    },
    series: {},
    ...judged(found, expected),
  }
}

async function undisturbed(cell: PlannedCell, lab: Lab): Promise<Contents> {
  await using importing = await InvoiceImport.open(lab, cell.arm, parameter(lab.parameters, 'invoices'))
  await doneOrThrow(startInSmallPods(importing, 30).end())
  return await importing.lake.contents(cell.arm, 'invoices')
}

function startInSmallPods(importing: InvoiceImport, graceSeconds: number): RunningSync {
  return importing.start('invoices', [...SMALL_PODS, '--grace', `${graceSeconds}s`])
}

interface RolledOut {
  /** The old import, and its successor where it was ended. */
  readonly ends: readonly SyncEnd[]
  /** From the signal to the end of the last process; null where nobody was told to end. */
  readonly drainMs: number | null
}

/** Lets an import meet a rollout at a seeded page, and lets another one go on after it. */
async function rollOut(importing: InvoiceImport, cell: PlannedCell, lab: Lab): Promise<RolledOut> {
  const graceSeconds = numberAt(cell.point, 'graceSeconds')
  const rollout = nameAt(cell.point, 'rollout')
  const old = startInSmallPods(importing, graceSeconds)
  const [share = 0.5] = killMoments(1, lab.seed + cell.repetition)
  const target = (share * parameter(lab.parameters, 'invoices')) / PAGE_ROWS
  await old.reached(async () => (await importing.pages()) >= target)
  if (rollout === 'linger') return { ends: [await doneOrThrow(old.end())], drainMs: null }
  const signalledAt = performance.now()
  const ended = await signalled(old, rollout, graceSeconds)
  const drainMs = performance.now() - signalledAt
  const successor = await doneOrThrow(startInSmallPods(importing, graceSeconds).end())
  return { ends: [ended, successor], drainMs }
}

/** SIGTERM and, when the grace is over, SIGKILL to all that is left, as an orchestrator does it; or SIGKILL at once. */
async function signalled(old: RunningSync, rollout: string, graceSeconds: number): Promise<SyncEnd> {
  if (rollout === 'terminate') {
    old.terminate()
    await Promise.race([old.end(), sleep(graceSeconds * 1000, undefined, { ref: false })])
  }
  old.kill()
  return await old.end()
}

async function doneOrThrow(ending: Promise<SyncEnd>): Promise<SyncEnd> {
  const end = await ending
  assertDone(end)
  return end
}

/**
 * What was reserved and what was used, in GiB·s. Small pods are reserved while they run, and so is the
 * large pod that lingers, for the one job that is in it.
 */
function reservation(point: Point, ends: readonly SyncEnd[], drainMs: number | null): Record<string, Metric> {
  const podBytes = nameAt(point, 'rollout') === 'linger' ? LARGE_POD_BYTES : SMALL_PODS_BYTES
  const reserved = ends.reduce((sum, { wallMs }) => sum + (podBytes * wallMs) / 1000, 0) / GIB
  const used = ends.reduce((sum, { usedByteSeconds }) => sum + usedByteSeconds, 0) / GIB
  return {
    reservedGibSeconds: { ...memory(reserved), unit: 'GiB·s' },
    usedGibSeconds: { ...memory(used), unit: 'GiB·s' },
    reservedToUsedRatio: ratio(reserved / Math.max(used, 1e-9), 'memory'),
    ...(drainMs !== null && {
      drainReservedGibSeconds: { ...memory((podBytes * drainMs) / 1000 / GIB), unit: 'GiB·s' },
    }),
  }
}

interface Size {
  readonly invoices: number
  readonly apiLatencyMs: number
  readonly rollout: readonly string[]
  readonly graceSeconds: readonly number[]
  readonly repeat: number
  readonly minutes: number
}

function sized({ rollout, graceSeconds, repeat, minutes, ...parameters }: Size): ProfileSpec {
  return {
    axes: { rollout, graceSeconds },
    parameters,
    repeat,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(_: Point, parameters: Parameters) {
  const invoices = parameter(parameters, 'invoices')
  const wallMs = 15_000 + (invoices / PAGE_ROWS) * (parameter(parameters, 'apiLatencyMs') + 8)
  const needs = { wallMs, memoryBytes: 3 * GIB, diskBytes: invoices * 4_000 }
  return { shared: needs, cell: needs }
}

export const deployment: Scenario = {
  name: 'deployment',
  question: 'What does a rollout cost, in time, in work done again, and in memory that is held?',
  description:
    'Ends an import at a seeded page, by SIGTERM with a grace period or by SIGKILL, and lets a successor go on; or lets it linger in the large pod of today until it is done.',
  measures: 'time to drain, pages fetched again, memory reserved for each GiB·s used',
  axes: [
    {
      name: 'rollout',
      unit: null,
      description: 'how the old import is ended, or that it lingers',
      accepts: (value) => ROLLOUTS.some((name) => name === value),
    },
    {
      name: 'graceSeconds',
      unit: 's',
      description: 'how long SIGTERM may take before SIGKILL',
      accepts: (value) => typeof value === 'number' && value >= 1 && value <= 21_600,
    },
  ],
  profiles: {
    smoke: sized({
      invoices: 2_000,
      apiLatencyMs: 10,
      rollout: ['terminate'],
      graceSeconds: [20],
      repeat: 1,
      minutes: 2,
    }),
    quick: sized({
      invoices: 10_000,
      apiLatencyMs: 10,
      rollout: ROLLOUTS,
      graceSeconds: [20],
      repeat: 1,
      minutes: 4,
    }),
    standard: sized({
      invoices: 10_000,
      apiLatencyMs: 20,
      rollout: ROLLOUTS,
      graceSeconds: [5, 30],
      repeat: 1,
      minutes: 10,
    }),
    full: sized({
      invoices: 200_000,
      apiLatencyMs: 20,
      rollout: ROLLOUTS,
      graceSeconds: [5, 30, 60],
      repeat: 5,
      minutes: 60,
    }),
  },
  excludes: (arm, point, profile) => {
    const longest = Math.max(...(deployment.profiles[profile].axes['graceSeconds'] ?? []).map(Number))
    if (nameAt(point, 'rollout') !== 'terminate' && numberAt(point, 'graceSeconds') < longest)
      return 'a grace period is for SIGTERM only'
    return onePerFormat(arm)
  },
  estimate,
  run,
}
