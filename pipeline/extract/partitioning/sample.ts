import { INT64_MAX, INT64_MIN, integerOf } from '../types/numbers.ts'
import type { Sample } from './choose.ts'

/** What a choice of partitions has to know of the rows at hand. */
export function sampleOf(
  columns: readonly { readonly name: string; readonly cells: readonly unknown[] }[],
  payloadByRow: readonly number[],
): Sample {
  const cellsOf = (name: string) => columns.find((column) => column.name === name)?.cells ?? []
  return {
    rows: payloadByRow.length,
    payloadBytes: payloadByRow.reduce((sum, bytes) => sum + bytes, 0),
    hasValues: (name) => cellsOf(name).some((cell) => cell !== null),
    spanOf: (name) => spanOf(cellsOf(name)),
  }
}

function spanOf(cells: readonly unknown[]): number {
  let min: number | bigint = Number.POSITIVE_INFINITY
  let max: number | bigint = Number.NEGATIVE_INFINITY
  for (const cell of cells) {
    if (cell === null) continue
    const whole = integerOf(cell, INT64_MIN, INT64_MAX)
    if (whole < min) min = whole
    if (whole > max) max = whole
  }
  return max < min ? 0 : Number(BigInt(max) - BigInt(min)) + 1
}
