import { type Arm, formatOf } from '../backends/backend.ts'
import { treeUsage } from '../platform/storage/tree.ts'
import type { Metric, Phase, Point } from '../reports/schema.ts'
import { median } from '../reports/statistics/quantile.ts'
import { outcomeOf } from './batch-scenario.ts'
import { versionedOf } from './data/versioned.ts'
import { type Degradation, degradation } from './longevity/degradation.ts'
import { cost, duration, memory, ratio } from './measure/metric.ts'
import type { Place } from './runner/surroundings.ts'
import type {
  Lab,
  Measured,
  Parameters,
  PlannedCell,
  PreparedDataset,
  ProfileSpec,
  Scenario,
} from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'

const MINUTE_MS = 60_000
const GIB = 2 ** 30
const MAINTENANCE = ['never', 'each-round', 'half-way'] as const

/** What one round of merges and the reading after it took. */
interface Round {
  readonly mergesMs: readonly number[]
  readonly merge: Phase
  readonly read: Phase
  readonly maintain: Phase | null
  readonly objects: number
}

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const merges = numberAt(cell.point, 'merges')
  const prepared = await lab.dataset(`${merges}`, () => versionedOf(lab, merges))
  const place = await lab.copyOf(await lab.table(`${merges}`, formatOf(cell.arm)), formatOf(cell.arm))
  const rounds = await runRounds({ lab, arm: cell.arm, prepared, place }, nameAt(cell.point, 'maintenance'))
  const checked = await check({ lab, arm: cell.arm, prepared, place })
  const described = await lab.load('describe', {
    arm: cell.arm,
    place,
    table: prepared.dataset.table,
    work: { kind: 'describe' },
  })
  return {
    metrics: {
      ...growthOf(rounds),
      ...leftOver(described.done.engine, (await treeUsage(place.storage)).objects),
    },
    series: seriesOf(rounds),
    ...outcomeOf([checked]),
  }
}

interface Subject {
  readonly lab: Lab
  readonly arm: Arm
  readonly prepared: PreparedDataset
  readonly place: Place
}

/** Merges in rounds: a fresh loader applies a round's batches, then a fresh reader reads the table. */
async function runRounds(subject: Subject, maintenance: string): Promise<readonly Round[]> {
  const { lab, prepared } = subject
  const size = parameter(lab.parameters, 'mergesPerRound')
  const count = Math.ceil(prepared.batches.length / size)
  const rounds: Round[] = []
  for (let index = 0; index < count; index += 1) {
    const due =
      maintenance === 'each-round' || (maintenance === 'half-way' && index + 1 === Math.ceil(count / 2))
    rounds.push(await runRound(subject, index * size, size, due))
  }
  return rounds
}

async function runRound(subject: Subject, first: number, size: number, maintain: boolean): Promise<Round> {
  const { lab, arm, prepared, place } = subject
  const { table, readQuery: query } = prepared.dataset
  const { runId } = lab.surroundings
  const batches = prepared.batches.slice(first, first + size)
  const work = { kind: 'apply' as const, batches, mode: 'upsert' as const, runId, firstBatchIndex: first }
  const merged = await lab.load('apply', { arm, place, table, work })
  const read = await lab.read('read-after', { arm, place, table, query, expectation: null })
  const maintained = maintain
    ? await lab.load('maintain', { arm, place, table, work: { kind: 'maintain' } })
    : null
  return {
    mergesMs: merged.done.batchMs,
    merge: merged.phase,
    read: read.phase,
    maintain: maintained?.phase ?? null,
    objects: (await treeUsage(place.storage)).objects,
  }
}

async function check({ lab, arm, prepared, place }: Subject) {
  const { table, readQuery: query } = prepared.dataset
  const reading = { arm, place, table, query, expectation: prepared.expectation }
  return (await lab.read('read-at-end', reading)).checked
}

function growthOf(rounds: readonly Round[]): Record<string, Metric> {
  const mergeMs = rounds.map(({ mergesMs }) => median(mergesMs))
  const readMs = rounds.map(({ read }) => read.wallMs)
  const addedBytes = rounds.map(({ merge }) => Math.max(1, merge.memory.addedBytes))
  const maintained = rounds.flatMap(({ maintain }) => (maintain === null ? [] : [maintain]))
  return {
    ...degradationMetrics('merge', degradation(mergeMs)),
    ...degradationMetrics('read', degradation(readMs)),
    ...degradationMetrics('memory', degradation(addedBytes)),
    mergeMs: duration(
      median(rounds.flatMap(({ mergesMs }) => mergesMs)),
      rounds.flatMap(({ mergesMs }) => mergesMs),
    ),
    lastToFirstMerge: ratio((mergeMs.at(-1) ?? 0) / (mergeMs[0] ?? 1), 'time'),
    lastToFirstRead: ratio((readMs.at(-1) ?? 0) / (readMs[0] ?? 1), 'time'),
    maintenanceMs: duration(maintained.reduce((sum, { wallMs }) => sum + wallMs, 0)),
    maintenanceAddedBytes: memory(Math.max(0, ...maintained.map((phase) => phase.memory.addedBytes))),
  }
}

function degradationMetrics(name: string, found: Degradation | null): Record<string, Metric> {
  if (found === null) return {}
  return {
    [`${name}DegradationRate`]: ratio(found.rate, name === 'memory' ? 'memory' : 'time'),
    [`${name}DegradationVariance`]: ratio(found.variance, name === 'memory' ? 'memory' : 'time'),
  }
}

function leftOver(engine: Readonly<Record<string, number>>, objects: number): Record<string, Metric> {
  return {
    dataFiles: cost(engine['dataFiles'] ?? 0),
    deleteFiles: cost(engine['deleteFiles'] ?? 0),
    dataBytes: cost(engine['dataBytes'] ?? 0, 'bytes'),
    storedObjects: cost(objects),
  }
}

function seriesOf(rounds: readonly Round[]): Measured['series'] {
  const byRound = (name: string, unit: string, of: (round: Round) => number) => ({
    x: { name: 'round', unit: 'count' },
    y: { name, unit },
    points: rounds.map((round, index): [number, number] => [index + 1, of(round)]),
  })
  return {
    merge: byRound('median merge', 'ms', ({ mergesMs }) => median(mergesMs)),
    read: byRound('read', 'ms', ({ read }) => read.wallMs),
    memory: byRound('memory added by merges', 'bytes', ({ merge }) => merge.memory.addedBytes),
    objects: byRound('stored objects', 'count', ({ objects }) => objects),
    maintenance: byRound('maintenance', 'ms', ({ maintain }) => maintain?.wallMs ?? 0),
  }
}

interface Size {
  readonly rows: number
  readonly updates: number
  readonly inserts: number
  readonly partitions: number
  readonly mergesPerRound: number
  readonly merges: readonly number[]
  readonly maintenance: readonly string[]
  readonly minutes: number
}

function sized({ merges, maintenance, minutes, ...parameters }: Size): ProfileSpec {
  return {
    axes: { merges, maintenance },
    parameters,
    repeat: 1,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(point: Point, parameters: Parameters) {
  const storedBytes = parameter(parameters, 'rows') * 40
  const merges = numberAt(point, 'merges')
  const rounds = Math.ceil(merges / parameter(parameters, 'mergesPerRound'))
  return {
    shared: { wallMs: 10_000 + merges * 200, memoryBytes: GIB, diskBytes: storedBytes * 4 + GIB / 4 },
    cell: {
      wallMs: merges * 600 + rounds * 4_000,
      memoryBytes: GIB,
      diskBytes: storedBytes * (3 + merges * 0.5),
    },
  }
}

export const longevity: Scenario = {
  name: 'longevity',
  question: 'What stays fast after many merges, and what does it take to keep it so?',
  description:
    'Merges small batches into one table, round after round, reads it after each round, and maintains it never, after each round, or once half way.',
  measures:
    'degradation rates with their variance (LST-Bench’s S_DR) of merges, readings and memory; files; what maintenance costs',
  axes: [
    {
      name: 'merges',
      unit: null,
      description: 'merges into the table in all',
      accepts: (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= 2 && value <= 1_000,
    },
    {
      name: 'maintenance',
      unit: null,
      description: 'when the table is maintained',
      accepts: (value) => MAINTENANCE.some((name) => name === value),
    },
  ],
  profiles: {
    smoke: sized({
      rows: 4_000,
      updates: 200,
      inserts: 50,
      partitions: 2,
      mergesPerRound: 2,
      merges: [4],
      maintenance: ['half-way'],
      minutes: 2,
    }),
    quick: sized({
      rows: 50_000,
      updates: 500,
      inserts: 200,
      partitions: 4,
      mergesPerRound: 5,
      merges: [15],
      maintenance: ['never'],
      minutes: 4,
    }),
    standard: sized({
      rows: 200_000,
      updates: 1_000,
      inserts: 500,
      partitions: 8,
      mergesPerRound: 10,
      merges: [30],
      maintenance: ['never', 'each-round'],
      minutes: 10,
    }),
    full: sized({
      rows: 2_000_000,
      updates: 5_000,
      inserts: 2_000,
      partitions: 16,
      mergesPerRound: 10,
      merges: [50, 200, 500],
      maintenance: MAINTENANCE,
      minutes: 60,
    }),
  },
  estimate,
  run,
}
