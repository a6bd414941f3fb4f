import { type Arm, formatOf } from '../backends/backend.ts'
import { openObjectStore } from '../platform/storage/object-store.ts'
import type { Metric, Point } from '../reports/schema.ts'
import type { Operation, Shape, Target } from './concurrency/dataset.ts'
import { changes, OPERATIONS, ownTable, storedDataset, TABLE, TARGETS } from './concurrency/dataset.ts'
import { namedFindings, type Rows, rowsOf } from './concurrency/findings.ts'
import { concurrencyMetrics, concurrencySeries } from './concurrency/measures.ts'
import type { CoordinationValue, Retry } from './concurrency/plan.ts'
import { axesOfProfile, COORDINATION_VALUES, excludes, RETRIES } from './concurrency/plan.ts'
import { type Scene, writeAtOnce } from './concurrency/writers.ts'
import { cost } from './measure/metric.ts'
import { orphanFiles } from './oracle/orphans.ts'
import type { Place } from './runner/surroundings.ts'
import type {
  Lab,
  Measured,
  Parameters,
  PlannedCell,
  PreparedDataset,
  Profile,
  ProfileSpec,
  Scenario,
} from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'

const MINUTE_MS = 60_000
const MIB = 2 ** 20
/** A writer with its engine, and with its sidecar where it has one. */
const WRITER_BYTES = 340 * MIB

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const shape = shapeOf(cell.point, lab)
  const { scene, prepared } = await sceneOf(cell, lab, shape)
  const written = await writeAtOnce(lab, scene)
  const checked = await check(lab, scene, prepared)
  const rows = rowsOf(checked, prepared.expectation)
  const abandoned = written.writers.reduce((sum, writer) => sum + writer.abandoned.length, 0)
  const isDuckLake = formatOf(cell.arm) === 'ducklake'
  return {
    metrics: {
      ...concurrencyMetrics(written),
      ...rowMetrics(rows, abandoned),
      wastedBytes: cost(await orphanBytes(lab, cell.arm, scene.place), 'bytes'),
    },
    series: concurrencySeries(written),
    findings: namedFindings(checked, rows, { isDuckLake, abandoned }),
    oracle: {
      rows: checked.rows,
      distinctKeys: checked.distinctKeys,
      contentHash: checked.contentHash,
      checks: checked.checks,
    },
  }
}

function shapeOf(point: Point, { parameters, seed }: Lab): Shape {
  return {
    operation: operationAt(point),
    target: targetAt(point),
    writers: numberAt(point, 'writers'),
    batches: parameter(parameters, 'batches'),
    batchRows: parameter(parameters, 'batchRows'),
    storedRows: parameter(parameters, 'storedRows'),
    places: Math.max(parameter(parameters, 'places'), numberAt(point, 'writers')),
    seed,
  }
}

/** The table that the writers meet, and their batches. */
async function sceneOf(
  { arm, point }: PlannedCell,
  lab: Lab,
  shape: Shape,
): Promise<{ readonly scene: Scene; readonly prepared: PreparedDataset }> {
  const { operation, target, writers, places } = shape
  const format = formatOf(arm)
  const isEmpty = operation === 'append'
  const storedKey = isEmpty ? 'empty' : `${target} ${places}`
  const stored = await lab.dataset(storedKey, () => ({
    ...storedDataset(shape),
    ...(isEmpty && { initial: [], expected: [] }),
  }))
  const prepared = await lab.dataset(`${operation} ${target} ${writers}`, () => changes(shape))
  const place = await lab.copyOf(await lab.table(storedKey, format), format)
  const coordination = coordinationAt(point)
  const retry = retryAt(point)
  const seeds = isEmpty ? [] : stored.batches
  return {
    scene: { arm, shape, coordination, retry, place, batches: prepared.batches, seeds },
    prepared,
  }
}

/** All tables of the writers as one. */
async function check(lab: Lab, { arm, shape, place }: Scene, prepared: PreparedDataset) {
  const { readQuery: query } = prepared.dataset
  const own = Array.from({ length: shape.target === 'own-table' ? shape.writers : 0 }, (_, writer) =>
    ownTable(writer),
  )
  const [table = TABLE, ...others] = own
  const unionWith = others.map(({ name }) => name)
  const reading = { arm, place, table, query, expectation: prepared.expectation, unionWith }
  const { checked } = await lab.read('read-after', reading)
  if (checked === null) throw new Error('the reading of the cell checked nothing')
  return checked
}

/** Of files that no version names: what lost attempts have left. */
async function orphanBytes(lab: Lab, arm: Arm, place: Place): Promise<number> {
  const orphans = new Set(await orphanFiles(formatOf(arm), lab.environment(place)))
  await using store = openObjectStore(place.storage)
  const files = await store.list('')
  return files.reduce((sum, { key, bytes }) => (orphans.has(key) ? sum + bytes : sum), 0)
}

/** What is missing is no loss where batches were given up, and their writers know of it. */
function rowMetrics({ rowsLost, rowsDoubled, keysHidden }: Rows, abandoned: number): Record<string, Metric> {
  return {
    rowsLost: cost(abandoned === 0 ? rowsLost : 0),
    rowsDoubled: cost(rowsDoubled),
    keysHiddenByStatistics: cost(keysHidden),
  }
}

function named<Name extends string>(point: Point, axis: string, names: readonly Name[]): Name {
  const value = nameAt(point, axis)
  const name = names.find((known) => known === value)
  if (name === undefined) throw new RangeError(`the axis "${axis}" has no value "${value}"`)
  return name
}

const operationAt = (point: Point): Operation => named(point, 'operation', OPERATIONS)
const targetAt = (point: Point): Target => named(point, 'target', TARGETS)
const coordinationAt = (point: Point): CoordinationValue => named(point, 'coordination', COORDINATION_VALUES)
const retryAt = (point: Point): Retry => named(point, 'retry', RETRIES)

interface Size {
  /** Of each writer. */
  readonly batches: number
  readonly batchRows: number
  readonly storedRows: number
  readonly places: number
  readonly minutes: number
}

function sized(profile: Profile, { minutes, ...sizes }: Size): ProfileSpec {
  return {
    axes: axesOfProfile(profile),
    parameters: { ...sizes, maintenances: 3, maintenancePauseMs: 500 },
    repeat: 1,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(point: Point, parameters: Parameters) {
  const writers = numberAt(point, 'writers')
  const commits = writers * parameter(parameters, 'batches')
  const alone = point['coordination'] === 'none' || point['coordination'] === 'tags'
  return {
    shared: { wallMs: 6_000, memoryBytes: 1024 * MIB, diskBytes: 200 * MIB },
    cell: {
      wallMs: 6_000 + writers * 600 + commits * (alone ? 250 : 120),
      memoryBytes: 512 * MIB + writers * WRITER_BYTES,
      diskBytes: 50 * MIB + commits * MIB,
    },
  }
}

function isOneOf(names: readonly string[]) {
  return (value: unknown) => names.some((name) => name === value)
}

export const concurrency: Scenario = {
  name: 'concurrency',
  question:
    'What happens when many processes write one table at once, and what does it take to keep them apart?',
  description:
    'Writers, each a process of its own, commit small batches as fast as they can: each by itself, one after the other by a lock, or together by whoever has the lock.',
  measures:
    'commits a second, attempts per commit, latency up to its maximum, conflicts by kind, batches given up, files of lost attempts, fairness, catalog calls and WAL; rows lost, doubled, or hidden by statistics',
  axes: [
    {
      name: 'writers',
      unit: null,
      description: 'processes that write at once',
      accepts: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 48,
    },
    { name: 'operation', unit: null, description: 'what a batch does', accepts: isOneOf(OPERATIONS) },
    { name: 'target', unit: null, description: 'where a writer’s rows go', accepts: isOneOf(TARGETS) },
    {
      name: 'retry',
      unit: null,
      description: 'how often the engine itself tries a commit; the caller starts again in any case',
      accepts: isOneOf(RETRIES),
    },
    {
      name: 'coordination',
      unit: null,
      description:
        'none is the engine alone (DuckLake without tags of ours), tags adds compare-and-set, lock and group let writers wait for each other',
      accepts: isOneOf(COORDINATION_VALUES),
    },
  ],
  profiles: {
    smoke: sized('smoke', { batches: 2, batchRows: 20, storedRows: 200, places: 3, minutes: 2 }),
    quick: sized('quick', { batches: 4, batchRows: 100, storedRows: 1_000, places: 4, minutes: 3 }),
    standard: sized('standard', { batches: 6, batchRows: 200, storedRows: 5_000, places: 16, minutes: 5 }),
    full: sized('full', { batches: 20, batchRows: 500, storedRows: 50_000, places: 32, minutes: 30 }),
  },
  excludes,
  estimate,
  run,
}
