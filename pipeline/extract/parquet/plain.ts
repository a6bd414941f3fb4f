import type { Data } from 'apache-arrow'
import type { LakeType } from '../../../backends/schema.ts'
import type { Leaf } from './leaves.ts'
import type { Bytes } from './levels.ts'
import { bytesOf, type Present } from './present.ts'
import { DECIMAL_BYTES, PHYSICAL, physicalType } from './schema.ts'

/** A text from this size on goes into the page as it lies in the Arrow buffer, without a copy. */
const UNCOPIED_BYTES = 64 * 1024
/** Texts below this size are copied byte by byte, which costs less than a call. */
const SHORT_BYTES = 48

/** The values of a leaf in Parquet's PLAIN encoding: one after the other, nulls left out. */
export function plainValues({ type, data }: Leaf, present: Present): readonly Bytes[] {
  switch (physicalType(type)) {
    case PHYSICAL.boolean:
      return [bools(data, present)]
    case PHYSICAL.byteArray:
      return texts(data, present)
    default:
      return [fixedWidth(type, data, present)]
  }
}

function bools(data: Data, present: Present): Bytes {
  const bits = bytesOf(data.values)
  if (present === null) return bits.subarray(0, (data.length + 7) >> 3)
  const packed = new Uint8Array((present.length + 7) >> 3)
  for (let at = 0; at < present.length; at += 1) {
    const row = present[at] ?? 0
    const bit = ((bits[row >> 3] ?? 0) >> (row & 7)) & 1
    packed[at >> 3] = (packed[at >> 3] ?? 0) | (bit << (at & 7))
  }
  return packed
}

function fixedWidth(type: LakeType, data: Data, present: Present): Bytes {
  switch (type.kind) {
    case 'int8':
    case 'int16':
      return wideInts(data, present)
    case 'decimal':
      return physicalType(type) === PHYSICAL.fixed
        ? bigEndian(data, present)
        : picked(data, present, DECIMAL_BYTES, 8)
    case 'int32':
    case 'float32':
    case 'date':
      return picked(data, present, 4, 4)
    default:
      return picked(data, present, 8, 8)
  }
}

/** The first `width` bytes of each value, which takes `stride` bytes in the Arrow buffer. */
function picked(data: Data, present: Present, stride: number, width: number): Bytes {
  const values = bytesOf(data.values)
  if (present === null && stride === width) return values.subarray(0, data.length * width)
  const count = present === null ? data.length : present.length
  const from = new Uint32Array(values.buffer, values.byteOffset, values.byteLength >> 2)
  const to = new Uint32Array((count * width) >> 2)
  const words = width >> 2
  for (let at = 0; at < count; at += 1) {
    const start = ((present === null ? at : (present[at] ?? 0)) * stride) >> 2
    for (let word = 0; word < words; word += 1) to[at * words + word] = from[start + word] ?? 0
  }
  return bytesOf(to)
}

/** Parquet has no integers of less than 32 bits. */
function wideInts(data: Data, present: Present): Bytes {
  const values: Int8Array | Int16Array = data.values
  return bytesOf(
    present === null ? Int32Array.from(values) : Int32Array.from(present, (row) => values[row] ?? 0),
  )
}

function bigEndian(data: Data, present: Present): Bytes {
  const values = bytesOf(data.values)
  const count = present === null ? data.length : present.length
  const reversed = new Uint8Array(count * DECIMAL_BYTES)
  for (let at = 0; at < count; at += 1) {
    const start = (present === null ? at : (present[at] ?? 0)) * DECIMAL_BYTES
    for (let byte = 0; byte < DECIMAL_BYTES; byte += 1)
      reversed[at * DECIMAL_BYTES + byte] = values[start + DECIMAL_BYTES - 1 - byte] ?? 0
  }
  return reversed
}

/** Each text with its length in four bytes before it. */
function texts(data: Data, present: Present): readonly Bytes[] {
  const source = Buffer.from(bytesOf(data.values).buffer, data.values.byteOffset, data.values.byteLength)
  const offsets: Int32Array = data.valueOffsets
  const count = present === null ? data.length : present.length
  const pieces: Bytes[] = []
  let copy = Buffer.allocUnsafe(copiedBytes(offsets, present, count))
  let length = 0
  for (let at = 0; at < count; at += 1) {
    const row = present === null ? at : (present[at] ?? 0)
    const from = offsets[row] ?? 0
    const to = offsets[row + 1] ?? 0
    length = copy.writeUInt32LE(to - from, length)
    if (to - from >= UNCOPIED_BYTES) {
      pieces.push(copy.subarray(0, length), source.subarray(from, to))
      copy = copy.subarray(length)
      length = 0
    } else if (to - from >= SHORT_BYTES) {
      length += source.copy(copy, length, from, to)
    } else {
      for (let byte = from; byte < to; byte += 1, length += 1) copy[length] = source[byte] ?? 0
    }
  }
  return length > 0 ? [...pieces, copy.subarray(0, length)] : pieces
}

/** The lengths, and the texts that are copied. */
function copiedBytes(offsets: Int32Array, present: Present, count: number): number {
  let bytes = count * 4
  for (let at = 0; at < count; at += 1) {
    const row = present === null ? at : (present[at] ?? 0)
    const length = (offsets[row + 1] ?? 0) - (offsets[row] ?? 0)
    if (length < UNCOPIED_BYTES) bytes += length
  }
  return bytes
}
