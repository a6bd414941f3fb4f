import { Misfit, natureOf } from './values.ts'

/**
 * Microseconds since 1970 (UTC, or of the wall clock where there is no zone): a number where it is exact, else a bigint.
 * Null for what the lake's types can't hold: infinity, years before 1 and after 9999, a Date that is none.
 */
type Micros = number | bigint | null

const MILLIS_PER_DAY = 86_400_000
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z, which Python, Spark and Delta's statistics stop at. */
const FIRST_MILLIS = -62_135_596_800_000
const LAST_MILLIS = 253_402_300_799_999
/** Beyond it a count of microseconds is no safe integer. */
const SAFE_MILLIS = 9_007_199_254_740

const MOMENT =
  /^([+-]?\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?( BC)?$/i
const INFINITE = /^-?infinity$/i

/**
 * The moment of a `timestamp` or `timestamptz` column.
 * @param zoned whether an offset in a text counts; else the clock of the text is taken as it is
 * @throws Misfit for anything but a Date or a text of a date and time
 */
export function microsOf(value: unknown, zoned: boolean): Micros {
  if (value instanceof Date) return fromMillis(value.getTime(), 0)
  if (typeof value !== 'string') throw new Misfit(`is ${natureOf(value)}`)
  const quick = quickMillis(value)
  if (quick !== null) return fromMillis(quick, 0)
  return INFINITE.test(value) ? null : microsOfText(value, zoned)
}

/** Whole milliseconds since 1970 at or before a moment, and the microseconds from there. */
export function splitMicros(micros: number | bigint): { readonly millis: number; readonly micros: number } {
  const rest = Number(BigInt(micros) % 1_000n)
  const within = rest < 0 ? rest + 1_000 : rest
  return { millis: Number((BigInt(micros) - BigInt(within)) / 1_000n), micros: within }
}

/** Days since 1970 of a `date` column. */
export function daysOf(value: unknown): number | null {
  const micros = microsOf(value, false)
  return micros === null ? null : Math.floor(splitMicros(micros).millis / MILLIS_PER_DAY)
}

function microsOfText(text: string, zoned: boolean): Micros {
  const parts = MOMENT.exec(text)
  if (parts === null) throw new Misfit('is a text that is no date')
  const [, year = '', month = '', day = '', hour = '0', minute = '0', second = '0', fraction = '', zone, bc] =
    parts
  if (bc !== undefined) return null
  const date = civilMillis(Number(year), Number(month), Number(day))
  const clock = Number(hour) * 3_600_000 + Number(minute) * 60_000 + Number(second) * 1_000
  if (date === null || clock > MILLIS_PER_DAY || Number(minute) > 59)
    throw new Misfit('is a text that is no date')
  const micros = Number(fraction.slice(0, 6).padEnd(6, '0'))
  const offset = zoned && zone !== undefined ? offsetMillis(zone) : 0
  return fromMillis(date + clock - offset + Math.floor(micros / 1_000), micros % 1_000)
}

/** The form that Postgres and JSON have in nearly all cases, `2024-05-06 07:08:09` or `2024-05-06T07:08:09Z`, without a regular expression. */
function quickMillis(text: string): number | null {
  const isUtc = text.length === 20 && text.charCodeAt(19) === 0x5a
  if (text.length !== 19 && !isUtc) return null
  const separator = text.charCodeAt(10)
  if (
    text.charCodeAt(4) !== 0x2d ||
    text.charCodeAt(7) !== 0x2d ||
    (separator !== 0x20 && separator !== 0x54)
  )
    return null
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  const date = civilMillis(
    twoDigits(text, 0) * 100 + twoDigits(text, 2),
    twoDigits(text, 5),
    twoDigits(text, 8),
  )
  if (date === null || !(hour < 24 && minute < 60 && second < 60)) return null
  return date + hour * 3_600_000 + minute * 60_000 + second * 1_000
}

/** NaN for anything but digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

/** Null for a day that isn't in the calendar. */
function civilMillis(year: number, month: number, day: number): number | null {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 && isLeap ? 29 : DAYS_IN_MONTH[month - 1]
  if (days === undefined || !(day >= 1 && day <= days)) return null
  // Days of the proleptic Gregorian calendar, counted in years that begin in March.
  const shifted = month > 2 ? year : year - 1
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return (era * 146_097 + dayOfEra - 719_468) * MILLIS_PER_DAY
}

function offsetMillis(zone: string): number {
  if (!/^[+-]/.test(zone)) return 0
  const digits = zone.slice(1).replaceAll(':', '').padEnd(6, '0')
  const seconds =
    Number(digits.slice(0, 2)) * 3_600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6))
  return (zone.startsWith('-') ? -seconds : seconds) * 1_000
}

function fromMillis(millis: number, micros: number): Micros {
  if (!(millis >= FIRST_MILLIS && millis <= LAST_MILLIS)) return null
  if (millis > -SAFE_MILLIS && millis < SAFE_MILLIS) return millis * 1_000 + micros
  return BigInt(millis) * 1_000n + BigInt(micros)
}
