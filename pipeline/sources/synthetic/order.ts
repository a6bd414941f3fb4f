import type { SyntheticTable } from './config.ts'
import type { SyntheticRows } from './rows.ts'

/** A row's number and revision. */
export interface RowPlace {
  readonly row: number
  readonly revision: number
}

/** The order in which a read yields rows: places from 0 to `length`, at some of which there is no row. */
export interface ReadOrder {
  readonly length: number
  at(place: number): RowPlace | null
}

/** All rows, in the order of their keys that the table asks for. */
export function fullOrder(table: SyntheticTable, rows: SyntheticRows): ReadOrder {
  const stride = table.keyOrder === 'shuffled' ? strideOf(table.rows) : 1
  const rowAt = (place: number): number => {
    if (table.keyOrder === 'descending') return table.rows - 1 - place
    // Products of two 32-bit numbers lose digits in a double, and then some rows would come twice.
    return stride === 1 ? place : Number((BigInt(place) * BigInt(stride)) % BigInt(table.rows))
  }
  return {
    length: table.rows,
    at: (place) => ({ row: rowAt(place), revision: rows.revisionOf(rowAt(place)) }),
  }
}

/** Rows by `updated_at`, those from `sinceMs` on: revision by revision, a row only in the last that changed it. */
export function incrementalOrder(
  table: SyntheticTable,
  rows: SyntheticRows,
  sinceMs: number | null,
): ReadOrder {
  const length = table.rows * (table.revisions + 1)
  return {
    length,
    at: (place) => {
      const rank = table.incremental === 'descending' ? length - 1 - place : place
      const row = rank % table.rows
      const revision = Math.floor(rank / table.rows)
      const isNewEnough = sinceMs === null || rows.updatedAtMs(row, revision) >= sinceMs
      return isNewEnough && rows.revisionOf(row) === revision ? { row, revision } : null
    },
  }
}

/** A step that meets every row once: near the golden ratio of their number, and without a common divisor. */
function strideOf(rows: number): number {
  let stride = Math.max(1, Math.floor(rows * 0.618))
  while (greatestCommonDivisor(stride, rows) > 1) stride += 1
  return stride
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
