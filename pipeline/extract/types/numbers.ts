import { DecimalText } from '../../sources/source.ts'
import { Misfit, natureOf } from './values.ts'

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n
/** Doubles of at least this size are beyond int64. */
const INT64_BOUND = 2 ** 63

/** The most digits of an integer text that `Number` reads exactly. */
const SAFE_DIGITS = 15
const INTEGER = /^\s*[+-]?\d+\s*$/
const TRUE = new Set(['t', 'true', 'y', 'yes', 'on', '1'])
const FALSE = new Set(['f', 'false', 'n', 'no', 'off', '0'])

/** @throws Misfit */
export function booleanOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  const text = String(typeof value === 'string' ? value.trim().toLowerCase() : value)
  if (TRUE.has(text)) return true
  if (FALSE.has(text)) return false
  throw new Misfit(`is ${natureOf(value)}`)
}

/**
 * A whole number within the bounds; a number where it is one of JavaScript's, else a bigint.
 * @throws Misfit
 */
export function integerOf(value: unknown, min: bigint, max: bigint): number | bigint {
  const integer = wholeNumber(value)
  // Nearly always the case, and much cheaper than to compare a number with a bigint.
  if (Number.isSafeInteger(integer) && max === INT64_MAX) return integer
  if (integer < min || integer > max) throw new Misfit('is out of range')
  return integer
}

function wholeNumber(value: unknown): number | bigint {
  if (typeof value === 'number') {
    if (Number.isInteger(value)) return value
    throw new Misfit('has decimals')
  }
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  const text = value instanceof DecimalText ? value.text : value
  if (typeof text !== 'string') throw new Misfit(`is ${natureOf(value)}`)
  if (!INTEGER.test(text)) return wholeDecimal(text)
  return text.length <= SAFE_DIGITS ? Number(text) : BigInt(text.trim().replace(/^\+/, ''))
}

/** `12.00` is a whole number, too. */
function wholeDecimal(text: string): bigint {
  const decimal = parseDecimal(text)
  if (decimal === null || decimal.scale > 0) throw new Misfit('is no whole number')
  return decimal.unscaled
}

/** Null for what is not finite. @throws Misfit */
export function floatOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return exactFloat(value)
  const text = value instanceof DecimalText ? value.text : value
  if (typeof text !== 'string' || text.trim() === '') throw new Misfit(`is ${natureOf(value)}`)
  const number = Number(text)
  if (Number.isFinite(number)) return number
  if (/^\s*(?:nan|[+-]?inf(?:inity)?)\s*$/i.test(text)) return null
  throw new Misfit(Number.isNaN(number) ? 'is no number' : 'is out of range')
}

function exactFloat(value: bigint): number {
  const number = Number(value)
  if (BigInt(number) === value) return number
  throw new Misfit('has more digits than a float64')
}

export interface Decimal {
  readonly unscaled: bigint
  /** Without trailing zeros. */
  readonly scale: number
  /** Digits before the point. */
  readonly integerDigits: number
}

const DECIMAL = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?\s*$/

/** Null for NaN and infinity. @throws Misfit */
export function parseDecimal(text: string): Decimal | null {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? []
  if (whole === '' && fraction === '') {
    if (/^\s*(?:s?nan|[+-]?inf(?:inity)?)\s*$/i.test(text)) return null
    throw new Misfit('is no number')
  }
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return { unscaled: 0n, scale: 0, integerDigits: 0 }
  const scale = fraction.length - Number(exponent) - (digits.length - significant.length)
  const unscaled = BigInt(sign + significant)
  if (scale <= 0) {
    return {
      unscaled: unscaled * 10n ** BigInt(-scale),
      scale: 0,
      integerDigits: significant.length - scale,
    }
  }
  return { unscaled, scale, integerDigits: Math.max(0, significant.length - scale) }
}

/**
 * The digits of a `decimal(precision, scale)` column without its point. Null for NaN and infinity.
 * @throws Misfit where digits would be lost
 */
export function unscaledOf(value: unknown, precision: number, scale: number): bigint | null {
  const decimal = decimalOf(value)
  if (decimal === null) return null
  if (decimal.scale > scale || decimal.integerDigits > precision - scale)
    throw new Misfit('has too many digits')
  return decimal.unscaled * 10n ** BigInt(scale - decimal.scale)
}

export function decimalOf(value: unknown): Decimal | null {
  if (value instanceof DecimalText) return parseDecimal(value.text)
  if (typeof value === 'string') return parseDecimal(value)
  if (typeof value === 'number' || typeof value === 'bigint') return parseDecimal(String(value))
  throw new Misfit(`is ${natureOf(value)}`)
}

/** Whether a whole number fits 64 bits. */
export function isInt64(value: number | bigint): boolean {
  return typeof value === 'number'
    ? value >= -INT64_BOUND && value < INT64_BOUND
    : value >= INT64_MIN && value <= INT64_MAX
}
