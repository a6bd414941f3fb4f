import { type Arm, formatOf, type StagedBatch } from '../backends/backend.ts'
import { treeUsage } from '../platform/storage/tree.ts'
import type { Metric, Phase, Point, Scalar } from '../reports/schema.ts'
import { quantile } from '../reports/statistics/quantile.ts'
import { outcomeOf } from './batch-scenario.ts'
import { axesOf, type Block, isInBlocks } from './blocks.ts'
import { cost, duration, rate, work } from './measure/metric.ts'
import type { LoaderDone } from './processes/protocol.ts'
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
import { MODES, type Mode, stream } from './small-commits/dataset.ts'
import { metadataBytes } from './small-commits/metadata.ts'

const MINUTE_MS = 60_000
const MIB = 2 ** 20
const INLINING = ['off', 'on'] as const

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const prepared = await datasetOf(cell.point, lab)
  const place = lab.place()
  const subject = { lab, arm: cell.arm, prepared, place, settings: settingsOf(cell) }
  const [stored, ...batches] = prepared.batches
  await apply(subject, 'store', stored === undefined ? [] : [stored], 'append', 1)
  const before = await sizes(subject)
  const batchesPerCommit = numberAt(cell.point, 'batchesPerCommit')
  const { phase, done } = await apply(subject, 'apply', batches, modeAt(cell.point), batchesPerCommit)
  const after = await sizes(subject)
  const checks = [await read(subject, 'read-after')]
  await lab.load('maintain', { ...loading(subject), work: { kind: 'maintain' } })
  checks.push(await read(subject, 'read-after-maintenance'))
  return {
    metrics: { ...paceMetrics(phase, done), ...growthMetrics(before, after, done) },
    series: { commits: seriesOf(done) },
    ...outcomeOf(checks),
  }
}

function datasetOf(point: Point, lab: Lab): Promise<PreparedDataset> {
  const rowsPerBatch = numberAt(point, 'rowsPerCommit')
  const mode = modeAt(point)
  const batches = parameter(lab.parameters, 'batches')
  const atLeast = parameter(lab.parameters, 'storedRows')
  const storedRows = Math.max(atLeast, Math.ceil((batches * rowsPerBatch) / 2))
  const shape = { mode, rowsPerBatch, batches, storedRows, seed: lab.seed }
  return lab.dataset(`${mode} ${rowsPerBatch}`, () => stream(shape))
}

interface Subject {
  readonly lab: Lab
  readonly arm: Arm
  readonly prepared: PreparedDataset
  readonly place: Place
  readonly settings: Readonly<Record<string, unknown>>
}

function loading({ arm, place, prepared, settings }: Subject) {
  return { arm, place, table: prepared.dataset.table, settings }
}

/** With inlining, what a commit holds is written to the catalog; nothing is registered as the file that it was staged in. */
function settingsOf({ arm, point }: PlannedCell): Readonly<Record<string, unknown>> {
  if (formatOf(arm) !== 'ducklake' || nameAt(point, 'inlining') === 'off') return {}
  const rows = numberAt(point, 'rowsPerCommit') * numberAt(point, 'batchesPerCommit')
  return { inliningRowLimit: rows, registerParts: false }
}

async function apply(
  subject: Subject,
  phase: 'store' | 'apply',
  batches: readonly StagedBatch[],
  mode: Mode,
  batchesPerCommit: number,
): Promise<{ readonly phase: Phase; readonly done: LoaderDone }> {
  const load = { kind: 'apply' as const, batches, mode, runId: phase, firstBatchIndex: 0, batchesPerCommit }
  return subject.lab.load(phase, { ...loading(subject), work: load })
}

async function read({ lab, arm, place, prepared }: Subject, phase: string) {
  const { table, readQuery: query } = prepared.dataset
  const { checked } = await lab.read(phase, { arm, place, table, query, expectation: prepared.expectation })
  return checked
}

interface Sizes {
  readonly objects: number
  readonly bytes: number
  readonly metadata: number
}

async function sizes({ lab, arm, place }: Subject): Promise<Sizes> {
  const metadata = await metadataBytes(formatOf(arm), lab.surroundings, place)
  return { ...(await treeUsage(place.storage)), metadata }
}

/** A commit is a batch that is committed, whether by itself or together with others. */
function paceMetrics(phase: Phase, { batchMs, commits }: LoaderDone): Record<string, Metric> {
  const seconds = phase.wallMs / 1_000
  const perCommit = (count: number): Metric => ({ ...cost(count / batchMs.length), unit: 'per-commit' })
  return {
    commits: work(batchMs.length),
    commitsPerSecond: rate(batchMs.length / seconds, 'commits/s'),
    engineCommits: work(commits),
    commitLatencyP50Ms: duration(quantile(batchMs, 0.5), batchMs),
    commitLatencyP99Ms: duration(quantile(batchMs, 0.99)),
    commitLatencyMaxMs: duration(quantile(batchMs, 1)),
    ...(phase.s3.status === 'measured' && { s3RequestsPerCommit: perCommit(phase.s3.requests) }),
    ...(phase.postgres.status === 'measured' && {
      postgresCallsPerCommit: perCommit(phase.postgres.calls),
      walBytesPerCommit: cost(phase.postgres.walBytes / batchMs.length, 'bytes'),
    }),
  }
}

function growthMetrics(before: Sizes, after: Sizes, { batchMs }: LoaderDone): Record<string, Metric> {
  const grown = (of: (sizes: Sizes) => number) => Math.max(0, of(after) - of(before))
  return {
    filesPerCommit: { ...cost(grown(({ objects }) => objects) / batchMs.length), unit: 'per-commit' },
    storedBytesPerCommit: cost(grown(({ bytes }) => bytes) / batchMs.length, 'bytes'),
    metadataBytes: cost(after.metadata, 'bytes'),
    metadataBytesPerCommit: cost(grown(({ metadata }) => metadata) / batchMs.length, 'bytes'),
  }
}

function seriesOf({ batchMs }: LoaderDone): Measured['series'][string] {
  return {
    x: { name: 'commit', unit: 'count' },
    y: { name: 'took', unit: 'ms' },
    points: batchMs.map((ms, index): [number, number] => [index + 1, ms]),
  }
}

function modeAt(point: Point): Mode {
  const name = nameAt(point, 'mode')
  const mode = MODES.find((known) => known === name)
  if (mode === undefined) throw new RangeError(`there is no mode "${name}"`)
  return mode
}

type AxisName = 'rowsPerCommit' | 'mode' | 'inlining' | 'batchesPerCommit'

function block(
  arms: readonly Arm[] | 'all',
  rowsPerCommit: readonly number[],
  at: Partial<Record<Exclude<AxisName, 'rowsPerCommit'>, readonly Scalar[]>> = {},
): Block<AxisName> {
  return { arms, at: { rowsPerCommit, mode: ['upsert'], inlining: ['off'], batchesPerCommit: [1], ...at } }
}

const BEST_ARMS = ['ducklake/merge', 'delta/deltalite'] as const

const BLOCKS: Readonly<Record<Profile, readonly Block<AxisName>[]>> = {
  smoke: [block('all', [10])],
  quick: [block(BEST_ARMS, [1, 1_000]), block(['ducklake/merge'], [1, 1_000], { inlining: ['on'] })],
  standard: [
    block(BEST_ARMS, [1, 100, 10_000]),
    block(['ducklake/merge'], [1, 100], { inlining: ['on'] }),
    block(BEST_ARMS, [1], { mode: ['append'] }),
    block(['ducklake/merge'], [1], { mode: ['append'], inlining: ['on'] }),
    block(BEST_ARMS, [1], { batchesPerCommit: [20] }),
  ],
  full: [
    block('all', [1, 10, 100, 1_000, 10_000], { mode: MODES, inlining: INLINING, batchesPerCommit: [1, 20] }),
  ],
}

interface Size {
  readonly batches: number
  readonly storedRows: number
  readonly minutes: number
}

function sized(profile: Profile, { minutes, ...parameters }: Size): ProfileSpec {
  return {
    axes: axesOf(BLOCKS[profile]),
    parameters,
    repeat: 1,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(point: Point, parameters: Parameters) {
  const batches = parameter(parameters, 'batches')
  const rows = parameter(parameters, 'storedRows') + batches * numberAt(point, 'rowsPerCommit')
  return {
    shared: { wallMs: 4_000, memoryBytes: 1024 * MIB, diskBytes: rows * 60 + 50 * MIB },
    cell: {
      wallMs: 12_000 + (batches / numberAt(point, 'batchesPerCommit')) * 250,
      memoryBytes: 1024 * MIB,
      diskBytes: rows * 60 * 4 + batches * MIB,
    },
  }
}

function isCount(most: number) {
  return (value: Scalar) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
}

function isOneOf(names: readonly string[]) {
  return (value: Scalar) => names.some((name) => name === value)
}

export const smallCommits: Scenario = {
  name: 'small-commits',
  question:
    'What do many small commits cost, as change data capture makes them, and what do they leave behind?',
  description:
    'Stores a table, commits small batches of changes to it one after another, reads it, maintains it, and reads it again.',
  measures:
    'commits a second and their latency, requests and catalog calls, files and metadata that each commit adds',
  axes: [
    { name: 'rowsPerCommit', unit: 'rows', description: 'changes in a batch', accepts: isCount(1_000_000) },
    {
      name: 'mode',
      unit: null,
      description: 'whether changes are of stored rows, too',
      accepts: isOneOf(MODES),
    },
    {
      name: 'inlining',
      unit: null,
      description: 'whether DuckLake writes the rows of a commit into its catalog instead of a file',
      accepts: isOneOf(INLINING),
    },
    {
      name: 'batchesPerCommit',
      unit: null,
      description: 'batches that are applied together in one commit of the engine',
      accepts: isCount(1_000),
    },
  ],
  profiles: {
    smoke: sized('smoke', { batches: 4, storedRows: 200, minutes: 2 }),
    quick: sized('quick', { batches: 15, storedRows: 5_000, minutes: 3 }),
    standard: sized('standard', { batches: 40, storedRows: 50_000, minutes: 5 }),
    full: sized('full', { batches: 500, storedRows: 1_000_000, minutes: 60 }),
  },
  excludes: (arm, point, profile) => {
    if (point['inlining'] === 'on' && formatOf(arm) === 'delta')
      return 'Delta Lake has no catalog to write rows into'
    return isInBlocks(BLOCKS[profile], arm, point) ? null : `the profile ${profile} leaves it out`
  },
  estimate,
  run,
}
