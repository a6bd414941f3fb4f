import type { Leaf } from './leaves.ts'

/** The places of the values that are not null, in their order; null for all of them. */
export type Present = Int32Array | null

export function presentRows({ data, rows }: Leaf): Present {
  if (rows !== null || data.nullCount === 0) return rows
  const present = new Int32Array(data.length - data.nullCount)
  const bitmap = data.nullBitmap
  let count = 0
  for (let row = 0; row < data.length; row += 1) {
    if (((bitmap[row >> 3] ?? 0) & (1 << (row & 7))) === 0) continue
    present[count] = row
    count += 1
  }
  return present
}

export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
