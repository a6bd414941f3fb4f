import type { Validity } from './layout.ts'

/** Values of a column as they are buffered: null or undefined where a row has none. */
export type Cells = readonly unknown[]

export function isMissing(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

/** What each Arrow column has: how many rows, and which of them have a value. */
export function presence({ bits, nullCount }: Validity, cells: Cells) {
  return { length: cells.length, nullCount, nullBitmap: nullCount === 0 ? null : bits }
}
