import type { Data } from 'apache-arrow'
import type { Leaf } from './leaves.ts'
import type { Bytes } from './levels.ts'
import { bytesOf, type Present } from './present.ts'
import { DECIMAL_BYTES, PHYSICAL, physicalType } from './schema.ts'

/** What a footer tells of a column chunk, by which readers leave out row groups. */
export interface ChunkStatistics {
  readonly nulls: number
  /** Null where there is no value, or none that may be told. */
  readonly range: Range | null
}

/** As Parquet encodes values in statistics: numbers as in pages, texts without a length. */
interface Range {
  readonly min: Bytes
  readonly max: Bytes
}

/**
 * A longer text is not told: readers differ in what they make of one that is cut. Nor is one with a NUL, which a catalog in
 * Postgres can't hold.
 */
const MAX_TEXT_BYTES = 64

/**
 * Null for what lies in lists and structs, whose counts readers understand in different ways. Floats have no range, since
 * readers don't agree on where NaN belongs; JSON and bytes have none, since nothing is looked for in their order.
 */
export function statisticsOf({ path, type, data, entries }: Leaf, present: Present): ChunkStatistics | null {
  if (path.length > 1) return null
  const values = present === null ? entries : present.length
  const nulls = entries - values
  if (values === 0) return { nulls, range: null }
  switch (type.kind) {
    case 'bool':
      return { nulls, range: boolRange(data, present, values) }
    case 'int8':
    case 'int16':
      return { nulls, range: wordRange(Int32Array.from(smallInts(data)), 1, present, values) }
    case 'int32':
    case 'date':
      return { nulls, range: wordRange(wordsOf(data), 1, present, values) }
    case 'int64':
    case 'timestamp':
    case 'timestamptz':
      return { nulls, range: wordRange(wordsOf(data), 2, present, values) }
    case 'decimal': {
      const range = wordRange(wordsOf(data), DECIMAL_BYTES >> 2, present, values)
      return { nulls, range: decimalRange(range, physicalType(type)) }
    }
    case 'string':
      return { nulls, range: textRange(data, present, values) }
    default:
      return { nulls, range: null }
  }
}

function boolRange(data: Data, present: Present, values: number): Range {
  const bits = bytesOf(data.values)
  let trues = 0
  for (let at = 0; at < values; at += 1) {
    const row = present === null ? at : (present[at] ?? 0)
    trues += ((bits[row >> 3] ?? 0) >> (row & 7)) & 1
  }
  return { min: Uint8Array.of(trues === values ? 1 : 0), max: Uint8Array.of(trues > 0 ? 1 : 0) }
}

function smallInts({ values }: Data): Int8Array | Int16Array {
  return values
}

function wordsOf({ values }: Data): Int32Array {
  const { buffer, byteOffset, byteLength } = bytesOf(values)
  return new Int32Array(buffer, byteOffset, byteLength >> 2)
}

/** Of whole numbers of some 32 bit words each, the lowest first and the highest with the sign. */
function wordRange(words: Int32Array, width: number, present: Present, values: number): Range {
  let min = (present?.[0] ?? 0) * width
  let max = min
  for (let at = 1; at < values; at += 1) {
    const start = (present === null ? at : (present[at] ?? 0)) * width
    if (isLess(words, start, min, width)) min = start
    else if (isLess(words, max, start, width)) max = start
  }
  return { min: wordBytes(words, min, width), max: wordBytes(words, max, width) }
}

function isLess(words: Int32Array, one: number, other: number, width: number): boolean {
  const high = words[one + width - 1] ?? 0
  const otherHigh = words[other + width - 1] ?? 0
  if (high !== otherHigh) return high < otherHigh
  for (let word = width - 2; word >= 0; word -= 1) {
    const low = (words[one + word] ?? 0) >>> 0
    const otherLow = (words[other + word] ?? 0) >>> 0
    if (low !== otherLow) return low < otherLow
  }
  return false
}

/** A copy, since the buffer may be used again. */
function wordBytes(words: Int32Array, start: number, width: number): Bytes {
  return bytesOf(words.slice(start, start + width))
}

function decimalRange({ min, max }: Range, physical: number): Range {
  return physical === PHYSICAL.fixed
    ? { min: min.toReversed(), max: max.toReversed() }
    : { min: min.subarray(0, 8), max: max.subarray(0, 8) }
}

function textRange(data: Data, present: Present, values: number): Range | null {
  const bytes = bytesOf(data.values)
  const offsets: Int32Array = data.valueOffsets
  let min = present?.[0] ?? 0
  let max = min
  for (let at = 1; at < values; at += 1) {
    const row = present === null ? at : (present[at] ?? 0)
    if (isTextLess(bytes, offsets, row, min)) min = row
    else if (isTextLess(bytes, offsets, max, row)) max = row
  }
  const range = { min: textAt(bytes, offsets, min), max: textAt(bytes, offsets, max) }
  return isTold(range.min) && isTold(range.max) ? range : null
}

/** By bytes, which is the order of code points. Texts that are alike for longer than is told are not told apart. */
function isTextLess(bytes: Bytes, offsets: Int32Array, one: number, other: number): boolean {
  const start = offsets[one] ?? 0
  const otherStart = offsets[other] ?? 0
  const length = (offsets[one + 1] ?? 0) - start
  const otherLength = (offsets[other + 1] ?? 0) - otherStart
  const common = Math.min(length, otherLength, MAX_TEXT_BYTES + 1)
  for (let at = 0; at < common; at += 1) {
    const byte = bytes[start + at] ?? 0
    const otherByte = bytes[otherStart + at] ?? 0
    if (byte !== otherByte) return byte < otherByte
  }
  return common <= MAX_TEXT_BYTES && length < otherLength
}

function textAt(bytes: Bytes, offsets: Int32Array, row: number): Bytes {
  const start = offsets[row] ?? 0
  return bytes.slice(start, Math.min(offsets[row + 1] ?? 0, start + MAX_TEXT_BYTES + 1))
}

function isTold(text: Bytes): boolean {
  return text.length <= MAX_TEXT_BYTES && !text.includes(0)
}
