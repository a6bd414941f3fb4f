import { type Dataset, type Lab, parameter } from '../scenario.ts'
import { keyedTable } from './keyed-table.ts'
import { below, hex, oneOf } from './mix.ts'
import { grouped, slices } from './slices.ts'

const ROWS_PER_SLICE = 200_000
const EPOCH_SECONDS = 1_735_689_600

/** A table that is merged into again and again. */
export interface Versioned {
  readonly rows: number
  readonly partitions: number
  readonly merges: number
  /** Stored rows that each merge changes, spread over all keys and so over all partitions; a divisor of `rows`. */
  readonly updates: number
  /** New rows of each merge. */
  readonly inserts: number
  readonly seed: number
}

const TABLE = keyedTable('events', 'note')

/**
 * A dataset of many small batches: batch m (from 1) changes the keys that are m modulo `rows / updates` and adds
 * `inserts` rows, so that what a row looks like in the end is arithmetic, whatever the number of merges.
 */
export function versioned(shape: Versioned): Dataset {
  const { rows, merges, inserts } = shape
  const end = rows + merges * inserts
  const expected = (source: string) => selectRows(shape, 'i', versionAfter(shape, merges), source)
  return {
    table: TABLE,
    initial: grouped(
      slices(0, rows, ROWS_PER_SLICE, (source) => selectRows(shape, 'i', '0', source)).map((slice) => [
        slice,
      ]),
      4,
    ),
    batches: Array.from({ length: merges }, (_, index) => [batch(shape, index + 1)]),
    expected: slices(0, end, ROWS_PER_SLICE, expected),
    probes: [0, 1, rows, end - 1, end].map((key) => ({
      key,
      row: slices(key, Math.min(key + 1, end), 1, expected)[0] ?? null,
    })),
    readQuery: {
      beforeRelation: 'SELECT bucket, status, count(*), sum(amount) FROM ',
      afterRelation: ' GROUP BY ALL ORDER BY ALL',
    },
  }
}

/** The dataset that a cell's parameters describe. */
export function versionedOf({ parameters, seed }: Lab, merges: number): Dataset {
  return versioned({
    rows: parameter(parameters, 'rows'),
    partitions: parameter(parameters, 'partitions'),
    updates: parameter(parameters, 'updates'),
    inserts: parameter(parameters, 'inserts'),
    merges,
    seed,
  })
}

function batch(shape: Versioned, merge: number) {
  const { rows, updates, inserts } = shape
  const cycle = cycleOf(shape)
  const first = rows + (merge - 1) * inserts
  return [
    ...slices(0, updates, ROWS_PER_SLICE, (source) =>
      selectRows(shape, `(i * ${cycle} + ${merge % cycle})`, String(merge), source),
    ),
    ...slices(first, first + inserts, ROWS_PER_SLICE, (source) => selectRows(shape, 'i', '0', source)),
  ]
}

/** After so many merges a key has another turn. */
function cycleOf({ rows, updates }: Versioned): number {
  return Math.floor(rows / updates)
}

/** SQL of the last merge that changed row `i`, 0 for none: the greatest m ≤ merges with m ≡ i modulo the cycle. */
function versionAfter(shape: Versioned, merges: number): string {
  const cycle = cycleOf(shape)
  const last = `(${merges} - (${merges} - (i % ${cycle}) + ${cycle}) % ${cycle})`
  return `CASE WHEN i < ${shape.updates * cycle} THEN greatest(${last}, 0) ELSE 0 END`
}

function selectRows({ partitions, seed }: Versioned, row: string, version: string, source: string): string {
  const changing = `(${row} * 1024 + ${version})`
  return `SELECT CAST(${row} AS BIGINT) AS id,
    'p' || lpad(CAST(${below(partitions, row, 1, seed)} AS VARCHAR), 4, '0') AS bucket,
    ${oneOf(['new', 'open', 'done', 'void'], changing, 3, seed)} AS status,
    CAST(${below(10_000_000, changing, 5, seed)} * 0.01 AS DECIMAL(18, 2)) AS amount,
    make_timestamp((${EPOCH_SECONDS} + ${row} * 7 + ${version}) * 1000000) AS updated_at,
    ${hex(changing, 6, seed)} || ${hex(changing, 7, seed)} AS note
  FROM ${source}`
}
