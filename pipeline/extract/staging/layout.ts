import { Misfit } from '../types/values.ts'

/** Which rows of a column have a value, as Arrow keeps it: a bit each, the lowest first. */
export class Validity {
  readonly bits: Uint8Array
  nullCount: number

  constructor(rows: number) {
    this.bits = new Uint8Array((rows + 7) >> 3)
    this.nullCount = rows
  }

  set(row: number): void {
    const byte = row >> 3
    this.bits[byte] = (this.bits[byte] ?? 0) | (1 << (row & 7))
    this.nullCount -= 1
  }
}

const TWO_32 = 4_294_967_296

/** 64 bit integers; a number is written as two halves, without a bigint being made of it. */
export class Int64Values {
  readonly whole: BigInt64Array
  readonly halves: Int32Array

  constructor(rows: number) {
    this.whole = new BigInt64Array(rows)
    this.halves = new Int32Array(this.whole.buffer)
  }

  set(row: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.whole[row] = value
    } else {
      this.halves[row * 2] = value | 0
      this.halves[row * 2 + 1] = Math.floor(value / TWO_32)
    }
  }
}

/**
 * Buffers for texts that are used again and again: a freed buffer is given back only when the garbage collector comes by, and
 * with rows of 30 MB that is late.
 */
export class TextRoom {
  readonly #free: Buffer[] = []
  readonly #taken: Buffer[] = []

  take(bytes: number): Buffer {
    this.#free.sort((a, b) => a.length - b.length)
    const index = this.#free.findIndex((buffer) => buffer.length >= bytes)
    // Where none is large enough, the new buffer takes the place of the largest, so that their number stays.
    const [kept] = this.#free.splice(index, 1)
    const buffer = index >= 0 && kept !== undefined ? kept : Buffer.allocUnsafeSlow(bytes)
    this.#taken.push(buffer)
    return buffer
  }

  /** All buffers may be taken again: what they hold must not be in use any more. */
  release(): void {
    this.#free.push(...this.#taken.splice(0))
  }
}

/** Longer texts are measured before room is made for them; a shorter one gets the three bytes that a UTF-16 unit may take. */
const MEASURED_LENGTH = 4_096
/** Room doubles up to here, and grows by a quarter beyond: doubling 30 MB for one more value would cost 30 MB. */
const DOUBLED_BYTES = 8 * 1024 ** 2
const FIRST_BYTES = 64 * 1024
/** The places of texts are 32 bit integers. */
const MAX_BYTES = 2 ** 31 - 1

/** The values of a text or binary column, end to end, with the place where each begins and the end of the last. */
export class TextValues {
  readonly offsets: Int32Array
  readonly #room: TextRoom
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  #rows = 0

  constructor(rows: number, room: TextRoom) {
    this.offsets = new Int32Array(rows + 1)
    this.#room = room
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** What is no Unicode (half of a surrogate pair) becomes U+FFFD. */
  addText(text: string): void {
    this.#reserve(text.length < MEASURED_LENGTH ? text.length * 3 : Buffer.byteLength(text))
    this.#length += this.#bytes.write(text, this.#length)
    this.addNothing()
  }

  addBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    this.addNothing()
  }

  addNothing(): void {
    this.#rows += 1
    this.offsets[this.#rows] = this.#length
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    if (needed > MAX_BYTES) throw new Misfit('is larger than 2 GiB')
    const grown = this.#length < DOUBLED_BYTES ? this.#length * 2 : this.#length * 1.25
    const room = this.#room.take(Math.max(needed, Math.ceil(grown), FIRST_BYTES))
    this.#bytes.copy(room, 0, 0, this.#length)
    this.#bytes = room
  }
}
