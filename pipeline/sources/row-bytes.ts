import { DecimalText, type Row } from './source.ts'

const NUMBER_BYTES = 8

/** About what a row takes on the way: its texts in UTF-8, its binaries, nested values as JSON, and 8 bytes for all else. */
export function rowBytes(row: Row): number {
  let bytes = 0
  for (const name in row) bytes += valueBytes(row[name])
  return bytes
}

/** What a row takes in whichever form is the shortest: numbers count by their digits where those are fewer than 8. */
export function leastBytes(row: Row): number {
  let bytes = 0
  for (const name in row) {
    const value = row[name]
    if (typeof value === 'number' || typeof value === 'bigint')
      bytes += Math.min(NUMBER_BYTES, String(value).length)
    else if (typeof value !== 'boolean') bytes += valueBytes(value)
  }
  return bytes
}

function valueBytes(value: unknown): number {
  if (value === null || value === undefined) return 0
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value !== 'object' || value instanceof Date) return NUMBER_BYTES
  if (value instanceof Uint8Array) return value.byteLength
  if (value instanceof DecimalText) return value.text.length
  return nestedBytes(value)
}

/** About the length of its JSON, without making it. */
function nestedBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 2
  if (typeof value !== 'object' || value === null) return 4
  let bytes = 2
  if (Array.isArray(value)) for (const item of value) bytes += nestedBytes(item) + 1
  else for (const [key, inner] of Object.entries(value)) bytes += key.length + 4 + nestedBytes(inner)
  return bytes
}
