import { type Arm, formatOf } from '../backends/backend.ts'
import type { Metric, Point } from '../reports/schema.ts'
import { median } from '../reports/statistics/quantile.ts'
import { outcomeOf } from './batch-scenario.ts'
import { type Fault, Injections } from './catalog-faults/injections.ts'
import { versionedOf } from './data/versioned.ts'
import { cost, work as described, duration } from './measure/metric.ts'
import { orphanFiles } from './oracle/orphans.ts'
import { type LoaderDone, loaderDoneSchema } from './processes/protocol.ts'
import { CellFailed } from './runner/failure.ts'
import type {
  Lab,
  LoaderOptions,
  Measured,
  Parameters,
  PlannedCell,
  ProfileSpec,
  Ready,
  Scenario,
} from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'

const MINUTE_MS = 60_000
const GIB = 2 ** 30
/** A loader that fails is started again by whoever runs it; more often than this it would be given up. */
const MOST_STARTS = 6

const FAULTS: Readonly<Record<string, Fault>> = {
  'postgres-latency': { target: 'postgres', kind: 'latency' },
  'postgres-reset': { target: 'postgres', kind: 'reset' },
  'postgres-stall': { target: 'postgres', kind: 'stall' },
  'postgres-down': { target: 'postgres', kind: 'down' },
  's3-latency': { target: 's3', kind: 'latency' },
  's3-reset': { target: 's3', kind: 'reset' },
  's3-stall': { target: 's3', kind: 'stall' },
  's3-503': { target: 's3', kind: '503' },
  's3-down': { target: 's3', kind: 'down' },
}

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const count = parameter(lab.parameters, 'injections')
  const prepared = await lab.dataset('batches', () => versionedOf(lab, 2 * count + 2))
  const format = formatOf(cell.arm)
  const place = await lab.copyOf(await lab.table('batches', format), format)
  const { table, readQuery: query } = prepared.dataset
  const injections = new Injections(lab.network, {
    fault: faultAt(cell.point),
    count,
    durationMs: numberAt(cell.point, 'durationMs'),
  })
  const { runId } = lab.surroundings
  const work = {
    kind: 'apply' as const,
    batches: prepared.batches,
    mode: 'upsert' as const,
    runId,
    firstBatchIndex: 0,
  }
  const starts = await startUntilDone(lab, { arm: cell.arm, place, table, work }, injections)
  await injections.healed()
  const reading = { arm: cell.arm, place, table, query, expectation: prepared.expectation }
  const { checked } = await lab.read('read-after', reading)
  return {
    metrics: {
      ...metricsOf(starts, injections),
      orphanFiles: cost((await orphanFiles(format, lab.environment(place))).length),
    },
    series: {},
    ...outcomeOf([checked]),
  }
}

function faultAt(point: Point): Fault {
  const name = nameAt(point, 'fault')
  const fault = FAULTS[name]
  if (fault === undefined) throw new RangeError(`there is no fault "${name}"`)
  return fault
}

/** How one loader process ended. */
type Start = { readonly done: LoaderDone } | { readonly failed: string }

/** Starts a loader with the same batches until one of them comes to its end, as a supervisor would. */
async function startUntilDone(
  lab: Lab,
  options: LoaderOptions,
  injections: Injections,
): Promise<readonly Start[]> {
  const starts: Start[] = []
  for (;;) {
    const start = await startOnce(lab, options, injections, starts.length === 0 ? 'apply' : 'resume')
    starts.push(start)
    if ('done' in start) return starts
    await injections.healed()
    if (starts.length >= MOST_STARTS) {
      const message = `${MOST_STARTS} loaders in a row failed, the last with: ${start.failed}`
      throw new CellFailed({ status: 'engine-error', code: 'GIVEN_UP', message })
    }
  }
}

async function startOnce(
  lab: Lab,
  options: LoaderOptions,
  injections: Injections,
  phase: string,
): Promise<Start> {
  try {
    const ready = await lab.loader(options)
    const { result } = await lab.measure(phase, [ready], () => applied(lab, ready, injections))
    await ready.child.exit()
    return { done: result }
  } catch (error) {
    if (!(error instanceof CellFailed)) throw error
    return {
      failed:
        'code' in error.failure ? `${error.failure.code}: ${error.failure.message}` : error.failure.status,
    }
  }
}

/** A batch that was committed before the process began is told at once, and is no sign of recovery but that it lives. */
function applied(lab: Lab, ready: Ready, injections: Injections): Promise<LoaderDone> {
  ready.child.tell('go')
  const waiting = { deadlineMs: lab.deadlineMs, signal: lab.signal, onProgress: () => injections.committed() }
  return ready.child.event(loaderDoneSchema, waiting)
}

function metricsOf(starts: readonly Start[], { made, recoveriesMs }: Injections): Record<string, Metric> {
  return {
    faults: described(made),
    processesThatFailed: cost(starts.length - 1),
    faultsSurvivedInProcess: described(made - (starts.length - 1)),
    ...(recoveriesMs.length > 0 && { recoveryMs: duration(median(recoveriesMs), recoveriesMs) }),
  }
}

interface Size {
  readonly rows: number
  readonly updates: number
  readonly inserts: number
  readonly partitions: number
  readonly injections: number
  readonly fault: readonly string[]
  readonly durationMs: readonly number[]
  readonly minutes: number
}

function sized({ fault, durationMs, minutes, ...parameters }: Size): ProfileSpec {
  return {
    axes: { fault, durationMs },
    parameters,
    repeat: 1,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(point: Point, parameters: Parameters) {
  const storedBytes = parameter(parameters, 'rows') * 40
  const injections = parameter(parameters, 'injections')
  return {
    shared: { wallMs: 15_000, memoryBytes: GIB, diskBytes: storedBytes * 4 + GIB / 4 },
    cell: {
      wallMs: 6_000 + injections * (numberAt(point, 'durationMs') * 1.5 + 2_000),
      memoryBytes: GIB,
      diskBytes: storedBytes * (2 + injections),
    },
  }
}

/** An arm for each way to commit: how its rows were merged before hardly shows in what a fault does. */
const COMMITTERS: ReadonlySet<Arm> = new Set<Arm>([
  'ducklake/merge',
  'delta/merge',
  'delta/deltalite',
  'delta/duckdb',
])

export const catalogFaults: Scenario = {
  name: 'catalog-faults',
  question: 'What happens when Postgres or the object store is slow, cut or gone in the middle of a commit?',
  description:
    'Merges batch after batch through a proxy that breaks each commit a little later than the one before; a loader that fails is started again with the same batches, as a supervisor does it.',
  measures:
    'processes that failed, time from the end of a fault to the next commit, files that no version of the table names; rows lost and doubled',
  faults: true,
  axes: [
    {
      name: 'fault',
      unit: null,
      description: 'which server, and what happens to its connections',
      accepts: (value) => typeof value === 'string' && value in FAULTS,
    },
    {
      name: 'durationMs',
      unit: 'ms',
      description: 'how long each fault lasts',
      accepts: (value) => typeof value === 'number' && value >= 10 && value <= 600_000,
    },
  ],
  profiles: {
    smoke: sized({
      rows: 4_000,
      updates: 200,
      inserts: 50,
      partitions: 2,
      injections: 2,
      fault: ['s3-reset'],
      durationMs: [300],
      minutes: 2,
    }),
    quick: sized({
      rows: 20_000,
      updates: 500,
      inserts: 100,
      partitions: 4,
      injections: 3,
      fault: ['postgres-reset', 's3-503'],
      durationMs: [1_000],
      minutes: 4,
    }),
    standard: sized({
      rows: 50_000,
      updates: 1_000,
      inserts: 200,
      partitions: 4,
      injections: 4,
      fault: ['postgres-reset', 'postgres-down', 'postgres-stall', 's3-reset', 's3-503', 's3-down'],
      durationMs: [1_000],
      minutes: 5,
    }),
    full: sized({
      rows: 1_000_000,
      updates: 5_000,
      inserts: 1_000,
      partitions: 16,
      injections: 20,
      fault: Object.keys(FAULTS),
      durationMs: [500, 5_000, 30_000],
      minutes: 15,
    }),
  },
  excludes: (arm, point, profile) => {
    if (formatOf(arm) === 'delta' && faultAt(point).target === 'postgres')
      return 'Delta tables have no catalog in Postgres'
    return profile === 'full' || COMMITTERS.has(arm) ? null : 'another arm commits in the same way'
  },
  estimate,
  run,
}
