import type { TableSpec } from '../../backends/schema.ts'
import { column } from '../data/column.ts'
import { hex, oneOf } from '../data/mix.ts'
import { slices } from '../data/slices.ts'
import type { Dataset, Slice } from '../scenario.ts'

export const MODES = ['append', 'upsert'] as const
export type Mode = (typeof MODES)[number]

export interface Stream {
  readonly mode: Mode
  readonly rowsPerBatch: number
  readonly batches: number
  /** Rows that are stored before, at least half as many as come. */
  readonly storedRows: number
  readonly seed: number
}

const ROWS_PER_SLICE = 200_000

const TABLE: TableSpec = {
  name: 'changes',
  columns: [
    column('id', { kind: 'int64' }),
    column('version', { kind: 'int32' }),
    column('status', { kind: 'string' }),
    column('changed_at', { kind: 'timestamp' }),
    column('note', { kind: 'string' }),
  ],
  primaryKey: ['id'],
  partitionBy: null,
}

const EPOCH_SECONDS = 1_735_689_600

/**
 * A stream of changes, cut into small batches. Where it upserts, every other change is of a stored row, and the others are
 * new rows. The first batch holds what is stored before.
 */
export function stream(shape: Stream): Dataset {
  const { mode, rowsPerBatch, batches, storedRows } = shape
  const changed = mode === 'append' ? 0 : Math.ceil((batches * rowsPerBatch) / 2)
  const added = batches * rowsPerBatch - changed
  return {
    table: TABLE,
    initial: [],
    batches: [
      [rowsOf(shape, 'i', 0, 0, storedRows)],
      ...Array.from({ length: batches }, (_, index) => [batchOf(shape, index)]),
    ],
    expected: [
      ...rowsOf(shape, 'i', 1, 0, changed),
      ...rowsOf(shape, 'i', 0, changed, storedRows),
      ...rowsOf(shape, 'i', 1, storedRows, storedRows + added),
    ],
    probes: [0, storedRows - 1, storedRows, storedRows + added - 1, storedRows + added].map((key) => ({
      key,
      row: rowOf(shape, key, changed, storedRows + added),
    })),
    readQuery: {
      beforeRelation: 'SELECT status, count(*), max(version) FROM ',
      afterRelation: ' GROUP BY ALL ORDER BY ALL',
    },
  }
}

/** Change number `i` of an upsert is of stored row i/2 where it is even, and else the next new row. */
function batchOf(shape: Stream, index: number): readonly Slice[] {
  const { mode, rowsPerBatch, storedRows } = shape
  const first = index * rowsPerBatch
  const id =
    mode === 'append'
      ? `(${storedRows} + i)`
      : `CASE WHEN i % 2 = 0 THEN i // 2 ELSE ${storedRows} + i // 2 END`
  return rowsOf(shape, id, 1, first, first + rowsPerBatch)
}

function rowOf(shape: Stream, key: number, changed: number, end: number): Slice | null {
  if (key >= end) return null
  const version = key < changed || key >= shape.storedRows ? 1 : 0
  return rowsOf(shape, 'i', version, key, key + 1)[0] ?? null
}

/** @param id SQL of the key of row number `i` */
function rowsOf({ seed }: Stream, id: string, version: number, from: number, to: number): readonly Slice[] {
  return slices(
    from,
    to,
    ROWS_PER_SLICE,
    (source) => `SELECT id, CAST(${version} AS INTEGER) AS version,
      ${oneOf(['new', 'open', 'done', 'void'], 'id', 3, seed)} AS status,
      make_timestamp((${EPOCH_SECONDS} + id * 7 + ${version}) * 1000000) AS changed_at,
      ${hex('id', 5, seed)} || ${hex('id', 6, seed)} AS note
    FROM (SELECT CAST(${id} AS BIGINT) AS id FROM ${source})`,
  )
}
