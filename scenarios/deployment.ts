import { setTimeout as sleep } from 'node:timers/promises'
import type { Metric, Point } from '../reports/schema.ts'
import type { Contents } from './import/contents.ts'
import { ImportLake } from './import/import-lake.ts'
import { onePerFormat } from './import/one-per-format.ts'
import { StripeProcess } from './import/stripe-process.ts'
import { assertDone, RunningSync, type SyncEnd } from './import/sync-command.ts'
import { cost, duration, memory, ratio, work } from './measure/metric.ts'
import type { Lab, Measured, Parameters, PlannedCell, ProfileSpec, Scenario } from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'
import { judged, killMoments } from './stripe-paging.ts'

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
  await using rollout = await Rollout.open(cell, lab)
  lab.enter('rollout')
  const ends = await rollout.run(nameAt(cell.point, 'rollout'), numberAt(cell.point, 'graceSeconds'))
  lab.enter('oracle')
  const found = await rollout.lake.contents(cell.arm, 'invoices')
  return {
    metrics: { ...(await rollout.metrics(ends)), ...reservation(cell.point, ends, rollout.drainMs) },
    series: {},
    ...judged(found, expected),
  }
}

async function undisturbed(cell: PlannedCell, lab: Lab): Promise<Contents> {
  await using rollout = await Rollout.open(cell, lab)
  assertDone(await rollout.start(30).end())
  return await rollout.lake.contents(cell.arm, 'invoices')
}

/** An import that meets a rollout at a seeded moment, and the one that goes on after it. */
class Rollout implements AsyncDisposable {
  readonly lake: ImportLake
  readonly #cell: PlannedCell
  readonly #lab: Lab
  readonly #server: StripeProcess
  /** From the signal to the end of the last process; null where nobody was told to end. */
  drainMs: number | null = null

  private constructor(cell: PlannedCell, lab: Lab, server: StripeProcess, lake: ImportLake) {
    this.#cell = cell
    this.#lab = lab
    this.#server = server
    this.lake = lake
  }

  static async open(cell: PlannedCell, lab: Lab): Promise<Rollout> {
    const counts = { invoices: parameter(lab.parameters, 'invoices') }
    const faults = { latencyMs: parameter(lab.parameters, 'apiLatencyMs') }
    const server = await StripeProcess.start(lab.surroundings.entries.stripeServer, { counts, faults })
    return new Rollout(cell, lab, server, await ImportLake.open(lab))
  }

  start(graceSeconds: number): RunningSync {
    const source = ['--source', 'stripe', '--set', `baseUrl=${this.#server.url}`, '--table', 'invoices']
    const pods = [...SMALL_PODS, '--grace', `${graceSeconds}s`, '--partition', 'none']
    return new RunningSync(this.#lab, {
      args: [...source, ...pods, '--to', this.#cell.arm],
      env: this.lake.variables,
    })
  }

  async run(rollout: string, graceSeconds: number): Promise<readonly SyncEnd[]> {
    const old = this.start(graceSeconds)
    const [share = 0.5] = killMoments(1, this.#lab.seed + this.#cell.repetition)
    const target = (share * parameter(this.#lab.parameters, 'invoices')) / PAGE_ROWS
    const ending = old.end()
    await old.reached(async () => (await this.#pages()) >= target)
    if (rollout === 'linger') return [await doneOrThrow(ending)]
    const ended = await this.#signalled(old, ending, rollout, graceSeconds)
    const successor = await doneOrThrow(this.start(graceSeconds).end())
    return [ended, successor]
  }

  async metrics(ends: readonly SyncEnd[]): Promise<Record<string, Metric>> {
    const { pagesRepeated } = await this.#server.stats()
    return {
      wallMs: duration(ends.reduce((sum, { wallMs }) => sum + wallMs, 0)),
      pagesFetchedAgain: cost(pagesRepeated['invoices'] ?? 0),
      drainedInTime: work(ends[0]?.exitCode === 0 ? 1 : 0),
      ...(this.drainMs !== null && { drainMs: duration(this.drainMs) }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lake[Symbol.asyncDispose]()
    await this.#server[Symbol.asyncDispose]()
  }

  /** SIGTERM and, when the grace is over, SIGKILL to all that is left, as an orchestrator does it; or SIGKILL at once. */
  async #signalled(old: RunningSync, ending: Promise<SyncEnd>, rollout: string, graceSeconds: number) {
    const signalledAt = performance.now()
    if (rollout === 'terminate') {
      old.terminate()
      await Promise.race([ending, sleep(graceSeconds * 1000)])
    }
    if (old.running) old.kill()
    const ended = await ending
    this.drainMs = performance.now() - signalledAt
    return ended
  }

  async #pages(): Promise<number> {
    return (await this.#server.stats()).pages['invoices'] ?? 0
  }
}

async function doneOrThrow(ending: Promise<SyncEnd>): Promise<SyncEnd> {
  const end = await ending
  assertDone(end)
  return end
}

/**
 * What was reserved and what was used, in GiB·s. Small pods are reserved while they run; the large pod that lingers is
 * reserved from the signal on for the one job that is left in it.
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
      invoices: 20_000,
      apiLatencyMs: 20,
      rollout: ROLLOUTS,
      graceSeconds: [5, 30],
      repeat: 2,
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
