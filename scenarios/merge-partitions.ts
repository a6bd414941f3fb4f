import type { Arm } from '../backends/backend.ts'
import type { ColumnSpec } from '../backends/schema.ts'
import type { Point } from '../reports/schema.ts'
import { type BatchPhase, batchScenario } from './batch-scenario.ts'
import { column } from './data/column.ts'
import { below, hex, oneOf } from './data/mix.ts'
import { grouped, slices } from './data/slices.ts'
import { WORDS } from './data/words.ts'
import type { Dataset, Parameters, PlannedCell, Profile, ProfileSpec } from './scenario.ts'
import { numberAt, parameter, S3_LATENCY } from './scenario.ts'

const ROWS_PER_SLICE = 250_000
const MINUTE_MS = 60_000
const GIB = 2 ** 30
/** 2025-01-01T00:00:00Z in seconds: rows are created from then on, seven seconds apart. */
const EPOCH_SECONDS = 1_735_689_600

/** An invoice-like table: identifiers, a few categories, money, times, free text and a small JSON document. */
const COLUMNS: readonly ColumnSpec[] = [
  column('id', { kind: 'int64' }),
  column('bucket', { kind: 'string' }),
  column('customer_id', { kind: 'string' }),
  column('status', { kind: 'string' }),
  column('currency', { kind: 'string' }),
  column('amount', { kind: 'decimal', precision: 18, scale: 2 }),
  column('quantity', { kind: 'int32' }),
  column('tax_rate', { kind: 'float64' }),
  column('paid', { kind: 'bool' }),
  column('created_at', { kind: 'timestamptz' }),
  column('updated_at', { kind: 'timestamp' }),
  column('description', { kind: 'string' }, true),
  column('metadata', { kind: 'json' }, true),
]

interface Shape {
  readonly rows: number
  readonly partitions: number
  /** Stored rows that the batch updates, spread evenly over all keys; as many new rows follow them. */
  readonly updates: number
  readonly inserts: number
  readonly seed: number
}

/**
 * @param version SQL of 0 for a row as first stored and 1 for an updated one. An update changes the status, the amount,
 *   the time and the text; key, partition and customer stay.
 */
function selectRows(shape: Shape, row: string, version: string, source: string): string {
  const { seed } = shape
  const changing = `(${row} * 2 + ${version})`
  const word = (salt: number) => oneOf(WORDS, changing, salt, seed)
  return `SELECT CAST(${row} AS BIGINT) AS id,
    'p' || lpad(CAST(${below(shape.partitions, row, 1, seed)} AS VARCHAR), 4, '0') AS bucket,
    'cus_' || ${hex(row, 2, seed)} AS customer_id,
    ${oneOf(['draft', 'open', 'paid', 'void', 'uncollectible'], changing, 3, seed)} AS status,
    ${oneOf(['usd', 'eur', 'gbp', 'jpy'], row, 4, seed)} AS currency,
    CAST(${below(10_000_000, changing, 5, seed)} * 0.01 AS DECIMAL(18, 2)) AS amount,
    CAST(${below(50, row, 6, seed)} AS INTEGER) AS quantity,
    ${below(2_500, row, 7, seed)} / 10000.0 AS tax_rate,
    ${below(3, changing, 8, seed)} = 0 AS paid,
    to_timestamp(${EPOCH_SECONDS} + ${row} * 7) AS created_at,
    make_timestamp((${EPOCH_SECONDS} + ${row} * 7 + ${version} * 86400 + ${below(86_400, row, 9, seed)}) * 1000000) AS updated_at,
    CASE WHEN ${below(10, changing, 10, seed)} > 0 THEN ${word(11)} || ' ' || ${word(12)} || ' ' || ${word(13)} END AS description,
    '{"order":"' || ${hex(row, 14, seed)} || '","channel":"' || ${word(15)} || '","attempt":' || ${below(9, changing, 16, seed)} || '}' AS metadata
  FROM ${source}`
}

/** The key of the k-th updated row is floor(k × rows ÷ updates), so this is 1 for exactly those keys. */
function updatedVersion(shape: Shape): string {
  const k = `((i * ${shape.updates} + ${shape.rows - 1}) // ${shape.rows})`
  return `CASE WHEN i < ${shape.rows} AND ${k} < ${shape.updates} AND (${k} * ${shape.rows}) // ${shape.updates} = i THEN 1 ELSE 0 END`
}

function dataset(point: Point, parameters: Parameters, seed: number): Dataset {
  const rows = parameter(parameters, 'rows')
  const batchRows = parameter(parameters, 'batchRows')
  const updates = Math.floor(batchRows / 2)
  const shape: Shape = {
    rows,
    partitions: numberAt(point, 'partitions'),
    updates,
    inserts: batchRows - updates,
    seed,
  }
  const end = rows + shape.inserts
  const expectedRows = (source: string) => selectRows(shape, 'i', updatedVersion(shape), source)
  const initial = slices(0, rows, ROWS_PER_SLICE, (source) => selectRows(shape, 'i', '0', source))
  const updated = slices(0, updates, ROWS_PER_SLICE, (source) =>
    selectRows(shape, `((i * ${rows}) // ${updates})`, '1', source),
  )
  const inserted = slices(rows, end, ROWS_PER_SLICE, (source) => selectRows(shape, 'i', '0', source))
  return {
    table: { name: 'invoices', columns: COLUMNS, primaryKey: ['id'], partitionBy: 'bucket' },
    initial: [grouped(initial, 4)],
    batches: [[[...updated, ...inserted]]],
    expected: slices(0, end, ROWS_PER_SLICE, expectedRows),
    probes: [1, Math.floor(rows / updates), rows, end].map((key) => ({
      key,
      row: slices(key, Math.min(key + 1, end), 1, expectedRows)[0] ?? null,
    })),
    readQuery: {
      beforeRelation: 'SELECT bucket, status, count(*), sum(amount), max(updated_at) FROM ',
      afterRelation: ' GROUP BY ALL ORDER BY ALL',
    },
  }
}

/** What maintenance and the readings around it cost depends little on chance, so that one repetition tells it. */
const ONCE: ReadonlySet<BatchPhase> = new Set(['read-before', 'maintain', 'read-after-maintenance'])
const ALL: readonly BatchPhase[] = [
  'read-before',
  'apply',
  'read-after',
  'maintain',
  'read-after-maintenance',
]

function phases({ repetition }: PlannedCell): readonly BatchPhase[] {
  return repetition === 0 ? ALL : ALL.filter((phase) => !ONCE.has(phase))
}

interface Size {
  readonly rows: number
  readonly batchRows: number
  readonly partitions: readonly number[]
  readonly s3LatencyMs: readonly number[]
  readonly repeat: number
  readonly minutes: number
}

function sized(size: Size): ProfileSpec {
  const { rows, batchRows, partitions, s3LatencyMs, repeat, minutes } = size
  return {
    axes: { partitions, s3LatencyMs },
    parameters: { rows, batchRows },
    repeat,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

/** The standard profile has both axes through one point, 100 partitions at 15 ms, and not every corner. */
function excludes(point: Point, profile: Profile): string | null {
  if (profile !== 'standard') return null
  const onAxis = numberAt(point, 'partitions') === 100 || numberAt(point, 's3LatencyMs') === 15
  return onAxis ? null : 'the standard profile varies one axis at a time'
}

/** What arms that merge all partitions at once wait for S3, as a share of what one partition after another waits. */
const SHARE_OF_WAITING = 1 / 4

/** From runs on two cores: a partition that is merged alone takes some 15 requests, one after another. */
function estimate(point: Point, parameters: Parameters, arm: Arm) {
  const rows = parameter(parameters, 'rows')
  const storedBytes = rows * 40
  const oneByOneMs = 15 * numberAt(point, 'partitions') * numberAt(point, 's3LatencyMs')
  const waitingMs = arm === 'delta/merge-loop' ? oneByOneMs : oneByOneMs * SHARE_OF_WAITING
  return {
    shared: { wallMs: 5_000 + rows / 100, memoryBytes: GIB, diskBytes: storedBytes * 4 + GIB / 4 },
    cell: {
      wallMs: 8_000 + rows / 300 + waitingMs,
      memoryBytes: GIB + storedBytes * 8,
      diskBytes: storedBytes * 2,
    },
  }
}

export const mergePartitions = batchScenario({
  name: 'merge-partitions',
  question: 'What does it cost to merge a small batch that touches every partition of a table?',
  description:
    'Upserts one batch, half of it stored keys and half new ones, spread over all partitions. Reads the whole table before, after, and after maintenance.',
  measures: 'bytes written for each row changed; the cost of readings and of complete maintenance',
  axes: [
    {
      name: 'partitions',
      unit: null,
      description: 'partitions of the table, all of which the batch touches',
      accepts: (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 10_000,
    },
    S3_LATENCY,
  ],
  profiles: {
    smoke: sized({
      rows: 20_000,
      batchRows: 1_000,
      partitions: [10],
      s3LatencyMs: [0],
      repeat: 1,
      minutes: 2,
    }),
    quick: sized({
      rows: 500_000,
      batchRows: 10_000,
      partitions: [100],
      s3LatencyMs: [0, 15],
      repeat: 1,
      minutes: 4,
    }),
    standard: sized({
      rows: 1_000_000,
      batchRows: 20_000,
      partitions: [10, 100],
      s3LatencyMs: [0, 15],
      repeat: 3,
      minutes: 10,
    }),
    full: sized({
      rows: 10_000_000,
      batchRows: 100_000,
      partitions: [1, 10, 100, 190],
      s3LatencyMs: [0, 15, 50],
      repeat: 3,
      minutes: 60,
    }),
  },
  excludes: (_, point, profile) => excludes(point, profile),
  estimate,
  datasetKey: (point) => `${numberAt(point, 'partitions')}-partitions`,
  dataset,
  mode: () => 'upsert',
  phases,
})
