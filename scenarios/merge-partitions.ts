import type { ColumnSpec } from '../backends/schema.ts'
import { below, hex, oneOf } from './data/mix.ts'
import { grouped, slices } from './data/slices.ts'
import { WORDS } from './data/words.ts'
import type { Dataset, Parameters, ProfileSpec, Scenario } from './scenario.ts'
import { parameter } from './scenario.ts'

const ROWS_PER_SLICE = 250_000
const MINUTE_MS = 60_000
const GIB = 2 ** 30
/** 2025-01-01T00:00:00Z in seconds: rows are created from then on, seven seconds apart. */
const EPOCH_SECONDS = 1_735_689_600

function column(name: string, type: ColumnSpec['type'], nullable = false): ColumnSpec {
  return { name, type, nullable }
}

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

function dataset(parameters: Parameters, seed: number): Dataset {
  const rows = parameter(parameters, 'rows')
  const batchRows = parameter(parameters, 'batchRows')
  const updates = Math.floor(batchRows / 2)
  const shape: Shape = {
    rows,
    partitions: parameter(parameters, 'partitions'),
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

function profile(
  rows: number,
  batchRows: number,
  partitions: number,
  repeat: number,
  minutes: number,
): ProfileSpec {
  return {
    parameters: { rows, batchRows, partitions },
    repeat,
    firstRepetitionOnly: [],
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
    // About 40 compressed bytes a row: the staged parts, one prepared table a format, a cell's copy and its rewrite.
    diskBytes: Math.ceil(rows * 40 * 6 + GIB / 4),
  }
}

export const mergePartitions: Scenario = {
  name: 'merge-partitions',
  question: 'What does it cost to merge a small batch that touches every partition of a table?',
  description:
    'Upserts one batch, half of it stored keys and half new ones, spread over all partitions. Reads the whole table before, after, and after maintenance.',
  phases: ['read-before', 'apply', 'read-after', 'maintain', 'read-after-maintenance'],
  profiles: {
    smoke: profile(20_000, 1_000, 10, 1, 2),
    quick: {
      ...profile(1_000_000, 20_000, 100, 3, 4),
      firstRepetitionOnly: ['read-before', 'maintain', 'read-after-maintenance'],
    },
    standard: profile(4_000_000, 50_000, 100, 5, 10),
    full: profile(40_000_000, 500_000, 100, 3, 60),
  },
  dataset,
}
