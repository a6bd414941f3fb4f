import { DecimalText, type Row } from './source.ts'

const NUMBER_BYTES = 8

/** About what a row takes on the way: its texts in UTF-8, its binaries, nested values as JSON, and 8 bytes for all else. */
export function rowBytes(row: Row): number {
  let bytes = 0
  for (const name in row) bytes += valueBytes(row[name])
  return bytes
}

function valueBytes(value: unknown): number {
  if (value === null || value === undefined) return 0
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value !== 'object' || value instanceof Date) return NUMBER_BYTES
  if (value instanceof Uint8Array) return value.byteLength
  if (value instanceof DecimalText) return value.text.length
  return Buffer.byteLength(JSON.stringify(value))
}
