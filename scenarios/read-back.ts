import { formatOf } from '../backends/backend.ts'
import type { Metric, Phase, Point } from '../reports/schema.ts'
import { outcomeOf } from './batch-scenario.ts'
import { versionedOf } from './data/versioned.ts'
import { cost } from './measure/metric.ts'
import type { Place } from './runner/surroundings.ts'
import type {
  Lab,
  Measured,
  Parameters,
  PlannedCell,
  PreparedDataset,
  ProfileSpec,
  RelationQuery,
  Scenario,
} from './scenario.ts'
import { numberAt, parameter, S3_LATENCY } from './scenario.ts'

const MINUTE_MS = 60_000
const GIB = 2 ** 30

/** What readers ask. */
function queries(rows: number): Readonly<Record<string, RelationQuery>> {
  return {
    point: { beforeRelation: 'FROM ', afterRelation: ` WHERE id = ${Math.floor(rows / 2) + 1}` },
    partition: {
      beforeRelation: 'SELECT count(*), sum(amount) FROM ',
      afterRelation: ` WHERE bucket = 'p0001'`,
    },
    scan: {
      beforeRelation: 'SELECT max(id), max(status), max(amount), max(updated_at), max(note) FROM ',
      afterRelation: '',
    },
    aggregate: {
      beforeRelation: 'SELECT bucket, status, count(*), sum(amount) FROM ',
      afterRelation: ' GROUP BY ALL ORDER BY ALL',
    },
  }
}

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const merges = numberAt(cell.point, 'merges')
  const rows = parameter(lab.parameters, 'rows')
  const prepared = await lab.dataset(`${merges}`, () => versionedOf(lab, merges))
  const format = formatOf(cell.arm)
  const place = await lab.copyOf(await lab.table(`${merges}`, format), format)
  const reader = new Reader(cell, lab, prepared, place)
  await reader.readAll('fresh', rows)
  await reader.merge()
  await reader.readAll('merged', rows)
  await reader.maintain()
  const checked = await reader.check()
  await reader.readAll('maintained', rows)
  return { metrics: reader.metrics, series: {}, ...outcomeOf([checked]) }
}

/** Reads a table in each of its states; every query has a fresh process, so that nothing of the table is cached. */
class Reader {
  readonly metrics: Record<string, Metric> = {}
  readonly #cell: PlannedCell
  readonly #lab: Lab
  readonly #prepared: PreparedDataset
  readonly #place: Place

  constructor(cell: PlannedCell, lab: Lab, prepared: PreparedDataset, place: Place) {
    this.#cell = cell
    this.#lab = lab
    this.#prepared = prepared
    this.#place = place
  }

  async readAll(state: 'fresh' | 'merged' | 'maintained', rows: number): Promise<void> {
    for (const [name, query] of Object.entries(queries(rows))) {
      await this.#lab.read(`${state}-${name}`, { ...this.#subject, query, expectation: null })
    }
  }

  async merge(): Promise<Phase> {
    const { batches } = this.#prepared
    const { runId } = this.#lab.surroundings
    const work = { kind: 'apply' as const, batches, mode: 'upsert' as const, runId, firstBatchIndex: 0 }
    const { phase } = await this.#lab.load('apply', { ...this.#subject, work })
    const { done } = await this.#lab.load('describe', { ...this.#subject, work: { kind: 'describe' } })
    this.metrics['mergedDataFiles'] = cost(done.engine['dataFiles'] ?? 0)
    this.metrics['mergedDeleteFiles'] = cost(done.engine['deleteFiles'] ?? 0)
    return phase
  }

  async maintain(): Promise<void> {
    await this.#lab.load('maintain', { ...this.#subject, work: { kind: 'maintain' } })
  }

  async check() {
    const { readQuery: query } = this.#prepared.dataset
    const reading = { ...this.#subject, query, expectation: this.#prepared.expectation }
    return (await this.#lab.read('read-at-end', reading)).checked
  }

  get #subject() {
    return { arm: this.#cell.arm, place: this.#place, table: this.#prepared.dataset.table }
  }
}

interface Size {
  readonly rows: number
  readonly updates: number
  readonly inserts: number
  readonly partitions: number
  readonly merges: readonly number[]
  readonly s3LatencyMs: readonly number[]
  readonly repeat: number
  readonly minutes: number
}

function sized({ merges, s3LatencyMs, repeat, minutes, ...parameters }: Size): ProfileSpec {
  return {
    axes: { merges, s3LatencyMs },
    parameters,
    repeat,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(point: Point, parameters: Parameters) {
  const storedBytes = parameter(parameters, 'rows') * 40
  const merges = numberAt(point, 'merges')
  const wallMs = 20_000 + merges * 800 + numberAt(point, 's3LatencyMs') * (300 + merges * 30)
  return {
    shared: { wallMs: 10_000 + merges * 200, memoryBytes: GIB, diskBytes: storedBytes * 4 + GIB / 4 },
    cell: { wallMs, memoryBytes: GIB, diskBytes: storedBytes * (3 + merges * 0.5) },
  }
}

export const readBack: Scenario = {
  name: 'read-back',
  question: 'What does the writer’s choice cost the reader?',
  description:
    'Times a point, a partition, a full scan and an aggregate from fresh DuckDB processes: on the table as it was made, after many merges, and after maintenance.',
  measures: 'time, requests and bytes of each query, with the files and delete files that merges left',
  axes: [
    {
      name: 'merges',
      unit: null,
      description: 'merges between the first readings and the second',
      accepts: (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1_000,
    },
    S3_LATENCY,
  ],
  profiles: {
    smoke: sized({
      rows: 4_000,
      updates: 200,
      inserts: 50,
      partitions: 2,
      merges: [2],
      s3LatencyMs: [0],
      repeat: 1,
      minutes: 2,
    }),
    quick: sized({
      rows: 100_000,
      updates: 1_000,
      inserts: 500,
      partitions: 4,
      merges: [5],
      s3LatencyMs: [0],
      repeat: 1,
      minutes: 4,
    }),
    standard: sized({
      rows: 1_000_000,
      updates: 5_000,
      inserts: 1_000,
      partitions: 8,
      merges: [10],
      s3LatencyMs: [15],
      repeat: 1,
      minutes: 10,
    }),
    full: sized({
      rows: 20_000_000,
      updates: 20_000,
      inserts: 5_000,
      partitions: 16,
      merges: [1, 10, 100],
      s3LatencyMs: [0, 15, 50],
      repeat: 3,
      minutes: 60,
    }),
  },
  estimate,
  run,
}
