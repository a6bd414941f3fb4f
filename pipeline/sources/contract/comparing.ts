import { DecimalText } from '../source.ts'

/** Seconds since 1970 stay below this until the year 5138; milliseconds passed it in 1973. */
const MOST_SECONDS = 1e11
const MOMENT_TEXT = /^\d{4}-\d{2}-\d{2}([T ]|$)/

/**
 * Below, at or above zero as `a` comes before, with or after `b`; null where that can't be told from outside: null values,
 * values of different kinds, and texts, whose order is the source's own collation.
 */
export function compareValues(a: unknown, b: unknown): number | null {
  const [left, right] = [numberOf(a), numberOf(b)]
  if (left !== null && right !== null) return left - right
  const [from, to] = [momentOf(a), momentOf(b)]
  if (from !== null && to !== null) {
    // Texts keep microseconds, which a moment in milliseconds would lose.
    if (typeof a === 'string' && typeof b === 'string' && from === to) return a < b ? -1 : Number(a > b)
    return from - to
  }
  return typeof a === 'string' && a === b ? 0 : null
}

function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof DecimalText) return Number(value.text)
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : null
}

function momentOf(value: unknown): number | null {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'number') return value < MOST_SECONDS ? value * 1_000 : value
  if (typeof value !== 'string' || !MOMENT_TEXT.test(value)) return null
  const parsed = Date.parse(value)
  return Number.isNaN(parsed) ? null : parsed
}
