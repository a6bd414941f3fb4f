/**
 * Reads the positions of a deletion vector: Delta's `RoaringBitmapArray` in its portable form (PROTOCOL.md, Deletion Vector
 * Format), whose parts are 32-bit bitmaps of the RoaringFormatSpec. All of it is little endian.
 */

const MAGIC = 1_681_511_377
const COOKIE_WITHOUT_RUNS = 12_346
const COOKIE_WITH_RUNS = 12_347
/** Below this many containers, a bitmap with runs has no offsets. */
const NO_OFFSETS_BELOW = 4
/** A container with more values than this is a bitmap. */
const ARRAY_MAX_VALUES = 4_096
const BITMAP_WORDS = 1_024
const CONTAINER_VALUES = 0x1_00_00
const BITMAP_VALUES = 0x1_00_00_00_00

/**
 * The positions in ascending order.
 * @throws Error where the bytes aren't such a bitmap
 */
export function decodePositions(bytes: Uint8Array): readonly number[] {
  const reader = new Reader(bytes)
  const magic = reader.uint32()
  if (magic !== MAGIC) throw new Error(`it begins with ${magic}, not with ${MAGIC}`)
  const bitmaps = reader.uint64()
  const positions: number[] = []
  for (let index = 0; index < bitmaps; index += 1) {
    const base = reader.uint32() * BITMAP_VALUES
    readBitmap(reader, base, positions)
  }
  return positions
}

function readBitmap(reader: Reader, base: number, into: number[]): void {
  const cookie = reader.uint32()
  const hasRuns = (cookie & 0xff_ff) === COOKIE_WITH_RUNS
  if (!hasRuns && cookie !== COOKIE_WITHOUT_RUNS) throw new Error(`a bitmap in it begins with ${cookie}`)
  const containers = hasRuns ? (cookie >>> 16) + 1 : reader.uint32()
  const runs = hasRuns ? reader.bytes(Math.ceil(containers / 8)) : new Uint8Array()
  const headers = Array.from({ length: containers }, () => ({
    key: reader.uint16(),
    values: reader.uint16() + 1,
  }))
  if (!hasRuns || containers >= NO_OFFSETS_BELOW) reader.bytes(containers * 4)
  for (const [index, { key, values }] of headers.entries()) {
    const start = base + key * CONTAINER_VALUES
    const isRun = ((runs[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
    if (isRun) readRuns(reader, start, into)
    else if (values > ARRAY_MAX_VALUES) readWords(reader, start, into)
    else for (let value = 0; value < values; value += 1) into.push(start + reader.uint16())
  }
}

function readRuns(reader: Reader, start: number, into: number[]): void {
  const runs = reader.uint16()
  for (let run = 0; run < runs; run += 1) {
    const first = start + reader.uint16()
    const last = first + reader.uint16()
    for (let value = first; value <= last; value += 1) into.push(value)
  }
}

function readWords(reader: Reader, start: number, into: number[]): void {
  for (let half = 0; half < BITMAP_WORDS * 2; half += 1) {
    const word = reader.uint32()
    for (let bit = 0; bit < 32; bit += 1) {
      if ((word & (1 << bit)) !== 0) into.push(start + half * 32 + bit)
    }
  }
}

class Reader {
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true))
  }

  bytes(count: number): Uint8Array {
    const from = this.#advance(count)
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + from, count)
  }

  #advance(count: number): number {
    const from = this.#at
    this.#at += count
    if (this.#at > this.#view.byteLength) {
      throw new Error(`it has ${this.#view.byteLength} bytes, and ${this.#at} are needed`)
    }
    return from
  }
}
