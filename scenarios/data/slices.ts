import type { Slice } from '../scenario.ts'

/**
 * Cuts the row numbers from `from` to `to` (excluded) into slices of at most `rowsPerSlice` rows.
 * @param select makes the SELECT over a row-number column `i` of the given FROM item
 */
export function slices(
  from: number,
  to: number,
  rowsPerSlice: number,
  select: (source: string) => string,
): readonly Slice[] {
  const count = Math.ceil(Math.max(0, to - from) / rowsPerSlice)
  return Array.from({ length: count }, (_, index) => {
    const start = from + index * rowsPerSlice
    const end = Math.min(to, start + rowsPerSlice)
    return { sql: select(`range(${start}, ${end}) numbers(i)`), rows: end - start }
  })
}

/** Groups consecutive items, `size` to a group. */
export function grouped<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
