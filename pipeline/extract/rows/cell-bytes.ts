import type { LakeType } from '../../../backends/schema.ts'
import { DecimalText } from '../../sources/source.ts'
import { NestedText } from '../types/values.ts'

/** Bytes of a value in an Arrow column, for the types whose values all take the same. */
const WIDTH: Readonly<Partial<Record<LakeType['kind'], number>>> = {
  bool: 0.125,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float32: 4,
  float64: 8,
  date: 4,
  timestamp: 8,
  timestamptz: 8,
  decimal: 16,
}
/** The bit that says whether there is a value. */
const VALIDITY = 0.125
const OFFSET = 4
/** What a row without a value takes, in a column whose type is not known yet. */
export const NULL_BYTES = 8.125

/** What each value of a type takes, or null where that depends on the value. */
export function widthOf(type: LakeType | null): number | null {
  const width = type === null ? undefined : WIDTH[type.kind]
  return width === undefined ? null : width + VALIDITY
}

/** About what a value takes in an Arrow column whose type is not known yet, or has no fixed width. */
export function payloadBytes(cell: unknown): number {
  switch (typeof cell) {
    case 'string':
      return Buffer.byteLength(cell) + OFFSET + VALIDITY
    case 'number':
    case 'bigint':
      return 8 + VALIDITY
    case 'boolean':
      return 0.125 + VALIDITY
    case 'object':
      return objectBytes(cell)
    default:
      return NULL_BYTES
  }
}

function objectBytes(cell: object | null): number {
  if (cell === null) return NULL_BYTES
  if (cell instanceof NestedText) return payloadBytes(cell.text)
  if (cell instanceof Date) return 8 + VALIDITY
  if (cell instanceof DecimalText) return 16 + VALIDITY
  if (cell instanceof Uint8Array) return cell.byteLength + OFFSET + VALIDITY
  const inner: readonly unknown[] = Object.values(cell)
  return inner.reduce((sum: number, value) => sum + payloadBytes(value), OFFSET + VALIDITY)
}

/** Of an entry in an array and of the object that it points to. */
const SLOT = 8
const HEADER = 24

/** About what a value takes in this process as long as it is buffered, beside the bytes of its payload. */
export function overheadBytes(cell: unknown, payload: number): number {
  if (typeof cell === 'string') {
    // With a character beyond ASCII in it, a text usually takes two bytes for each.
    return SLOT + HEADER + (payload - OFFSET - VALIDITY > cell.length ? cell.length : 0)
  }
  return typeof cell === 'object' && cell !== null ? SLOT + HEADER * 2 : SLOT
}
