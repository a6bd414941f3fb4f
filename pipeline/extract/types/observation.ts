import { DecimalText } from '../../sources/source.ts'
import type { Decimal } from './numbers.ts'
import { decimalOf, isInt64 } from './numbers.ts'
import { Misfit, NestedText, natureOf } from './values.ts'

/** What values are, as bits, since a column may hold several. */
export const SEEN = {
  bool: 1,
  /** Whole, within 64 bits. */
  integer: 2,
  /** Whole, beyond 64 bits. */
  bigInteger: 4,
  float: 8,
  decimal: 16,
  text: 32,
  moment: 64,
  binary: 128,
  object: 256,
  list: 512,
} as const

/**
 * What was seen of a column's values: enough to choose a type, and to tell whether a stored type holds all of them.
 * Null and undefined leave no trace, nor do NaN, infinity and invalid dates, which are stored as null.
 */
export class Observation {
  /** Bits of {@link SEEN}; 0 where there were nulls only. */
  seen = 0
  /** Of whole numbers within 64 bits, and zero. */
  min: number | bigint = 0
  max: number | bigint = 0
  /** The most digits before the point, and after it, of decimals and of whole numbers. */
  integerDigits = 0
  scale = 0
  /** Where nested values are to become structs and lists: what their fields and elements are. */
  readonly fields = new Map<string, Observation>()
  element: Observation | null = null

  /** @throws Misfit for a function or a symbol */
  add(value: unknown): void {
    if (typeof value === 'string') this.seen |= SEEN.text
    else if (typeof value === 'number') this.#addNumber(value)
    else if (typeof value === 'boolean') this.seen |= SEEN.bool
    else if (typeof value === 'bigint') this.#addBigint(value)
    else if (typeof value === 'object') this.#addObject(value)
    else if (value !== undefined) throw new Misfit(`is ${natureOf(value)}`)
  }

  #addNumber(value: number): void {
    if (!Number.isInteger(value)) {
      if (Number.isFinite(value)) this.seen |= SEEN.float
    } else if (isInt64(value)) {
      this.#addInteger(value)
    } else {
      this.seen |= SEEN.float
    }
  }

  #addInteger(value: number | bigint): void {
    this.seen |= SEEN.integer
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
  }

  #addBigint(value: bigint): void {
    if (isInt64(value)) {
      this.#addInteger(value)
    } else {
      this.seen |= SEEN.bigInteger
      this.integerDigits = Math.max(this.integerDigits, digitsOf(value))
    }
  }

  #addObject(value: object | null): void {
    if (value === null) return
    if (value instanceof NestedText) this.seen |= value.isList ? SEEN.list : SEEN.object
    else if (value instanceof Date) this.seen |= Number.isNaN(value.getTime()) ? 0 : SEEN.moment
    else if (value instanceof DecimalText) this.#addDecimal(decimalOf(value))
    else if (value instanceof Uint8Array) this.seen |= SEEN.binary
    else if (Array.isArray(value)) this.#addList(value)
    else this.#addFields(value)
  }

  #addDecimal(decimal: Decimal | null): void {
    if (decimal === null) return
    this.seen |= SEEN.decimal
    this.scale = Math.max(this.scale, decimal.scale)
    this.integerDigits = Math.max(this.integerDigits, decimal.integerDigits)
  }

  #addList(list: readonly unknown[]): void {
    this.seen |= SEEN.list
    this.element ??= new Observation()
    for (const element of list) this.element.add(element)
  }

  #addFields(object: object): void {
    this.seen |= SEEN.object
    for (const [name, value] of Object.entries(object)) {
      let field = this.fields.get(name)
      if (field === undefined) {
        field = new Observation()
        this.fields.set(name, field)
      }
      field.add(value)
    }
  }
}

/** Decimal digits of a whole number. */
export function digitsOf(value: number | bigint): number {
  return String(value).replace('-', '').length
}
