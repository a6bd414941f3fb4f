/**
 * Ids that look like Stripe's and tell the index of their object to whoever knows the key: `in_1` + 6 digits of the
 * permuted index + a checksum + the account's own digits. So an id is found without looking for it, and one that was
 * made up (or belongs to another seed) is known to be unknown.
 */
import { keyOf, mix } from './random.ts'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const BASE = DIGITS.length
const PAIR = BASE * BASE
/** Two digits at a time, since a page of invoices has thousands of ids. */
const PAIRS: readonly string[] = Array.from(
  { length: PAIR },
  (_, value) => `${DIGITS[Math.floor(value / BASE)]}${DIGITS[value % BASE]}`,
)
const VALUES: ReadonlyMap<string, number> = new Map(Array.from(DIGITS, (digit, value) => [digit, value]))
const INDEX_DIGITS = 6
const FEISTEL_ROUNDS = 4

/** Indexes fit in 32 bits: six digits of base 62 hold them. */
export const INDEX_LIMIT = 2 ** 32

export interface IdStyle {
  /** `in_1`: the prefix, and the digit that Stripe's longer ids begin with. */
  readonly prefix: string
  /** Newer kinds of objects end with digits that all objects of an account share. */
  readonly accountDigits: string
}

export class IdCodec {
  readonly #style: IdStyle
  readonly #key: number

  constructor(style: IdStyle, seed: number) {
    this.#style = style
    this.#key = keyOf(seed, style.prefix)
  }

  encode(index: number): string {
    const permuted = this.#permute(index)
    const check = mix(permuted, this.#key)
    const body = `${digits(permuted)}${digits(check)}${pair(mix(check, permuted) % PAIR)}`
    return `${this.#style.prefix}${body}${this.#style.accountDigits}`
  }

  /** The index, or null for an id that this codec never made. */
  decode(id: string): number | null {
    const { prefix } = this.#style
    if (!id.startsWith(prefix)) return null
    let permuted = 0
    for (const digit of id.slice(prefix.length, prefix.length + INDEX_DIGITS))
      permuted = permuted * BASE + (VALUES.get(digit) ?? 0)
    if (permuted >= INDEX_LIMIT) return null
    const index = this.#unpermute(permuted)
    return this.encode(index) === id ? index : null
  }

  /** A Feistel network over two halves of 16 bits: every index has its own number, and neighbours lie far apart. */
  #permute(index: number): number {
    let [left, right] = [index >>> 16, index & 0xffff]
    for (let round = 0; round < FEISTEL_ROUNDS; round += 1)
      [left, right] = [right, left ^ (mix(right, this.#key + round) & 0xffff)]
    return ((left << 16) | right) >>> 0
  }

  #unpermute(permuted: number): number {
    let [left, right] = [permuted >>> 16, permuted & 0xffff]
    for (let round = FEISTEL_ROUNDS - 1; round >= 0; round -= 1)
      [left, right] = [right ^ (mix(left, this.#key + round) & 0xffff), left]
    return ((left << 16) | right) >>> 0
  }
}

/** Digits that only look random, such as those of an account: `count` of them, at most six. */
export function digitsOf(seed: number, text: string, count: number): string {
  return digits(keyOf(seed, text)).slice(-count)
}

function digits(value: number): string {
  const high = Math.floor(value / PAIR)
  return `${pair(Math.floor(high / PAIR))}${pair(high % PAIR)}${pair(value % PAIR)}`
}

function pair(value: number): string {
  return PAIRS[value] ?? ''
}
