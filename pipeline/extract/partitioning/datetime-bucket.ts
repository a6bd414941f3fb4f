import type { LakeType } from '../../../backends/schema.ts'
import { microsOf, splitMicros } from '../types/moments.ts'
import { Misfit } from '../types/values.ts'

export type BucketFormat = 'hour' | 'day' | 'week' | 'month'

/** Where a row goes whose date is missing or none. */
const UNKNOWN_DATE = '1970-01'

const MILLIS_PER_DAY = 86_400_000
/** Whole numbers from here on are milliseconds since 1970: as seconds they would lie after the year 5138. */
const FIRST_MILLISECONDS = 1e11
const LAST_MILLIS = 253_402_300_799_999
const WHOLE = new Set<LakeType['kind']>(['int8', 'int16', 'int32', 'int64'])

/**
 * The bucket of a date: `2024-05-06T07`, `2024-05-06`, `2024-w19` (the year and week of ISO 8601) or `2024-05`. Whole
 * numbers are seconds or milliseconds since 1970. A text counts by the clock that it shows, whatever its offset; a
 * `timestamptz` by that of UTC.
 */
export function datetimeBucket(value: unknown, type: LakeType, format: BucketFormat): string {
  const millis = clockMillis(value, type)
  if (millis === null) return UNKNOWN_DATE
  if (format === 'week') return isoWeek(millis)
  return new Date(millis).toISOString().slice(0, { hour: 13, day: 10, month: 7 }[format])
}

function clockMillis(value: unknown, type: LakeType): number | null {
  if (value === null || value === undefined) return null
  if (WHOLE.has(type.kind)) return unixMillis(Number(value))
  try {
    const micros = microsOf(value, type.kind === 'timestamptz')
    return micros === null ? null : splitMicros(micros).millis
  } catch (error) {
    if (error instanceof Misfit) return null
    throw error
  }
}

function unixMillis(value: number): number | null {
  const millis = Math.abs(value) >= FIRST_MILLISECONDS ? value : value * 1_000
  return Math.abs(millis) <= LAST_MILLIS ? Math.floor(millis) : null
}

/** The week that holds the day's Thursday, in the year of that Thursday. */
function isoWeek(millis: number): string {
  const day = Math.floor(millis / MILLIS_PER_DAY)
  // 1970-01-01 was a Thursday.
  const thursday = day - ((((day + 3) % 7) + 7) % 7) + 3
  const year = new Date(thursday * MILLIS_PER_DAY).getUTCFullYear()
  const week = Math.floor((thursday - Date.UTC(year, 0, 1) / MILLIS_PER_DAY) / 7) + 1
  return `${String(year).padStart(4, '0')}-w${String(week).padStart(2, '0')}`
}
