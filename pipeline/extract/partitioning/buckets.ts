import { hash } from 'node:crypto'
import type { LakeType } from '../../../backends/schema.ts'
import { DecimalText } from '../../sources/source.ts'
import type { PartitionSpec } from '../../state/model.ts'
import { parseDecimal } from '../types/numbers.ts'
import { Misfit } from '../types/values.ts'
import { type BucketFormat, datetimeBucket } from './datetime-bucket.ts'
import { pythonText } from './python-text.ts'

/** The column that a partitioned table gets, and is partitioned by. */
export const PARTITION_COLUMN = 'lakeduel_partition'

/** Where a row goes whose numerical key is missing or no whole number. */
const NO_NUMBER = 'null'

/** The buffered values of a column, and the type that they are stored in. */
export interface PartitionSource {
  readonly cells: readonly unknown[]
  readonly type: LakeType
}

const MISSING: PartitionSource = { cells: [], type: { kind: 'string' } }

type BucketOf = (row: number) => string

/**
 * The bucket of each row, as the text that {@link PARTITION_COLUMN} holds.
 * @param columns by the lake's names; a column of the spec that is missing counts as null in every row
 */
export function bucketsOf(
  spec: Exclude<PartitionSpec, { mode: 'none' }>,
  columns: ReadonlyMap<string, PartitionSource>,
): BucketOf {
  const column = (name: string) => columns.get(name) ?? MISSING
  switch (spec.mode) {
    case 'md5':
      return md5Buckets(spec.columns.map(column), spec.count)
    case 'numerical':
      return numericalBuckets(column(spec.column), BigInt(spec.size))
    case 'datetime':
      return datetimeBuckets(column(spec.column), spec.format)
    case 'datetime_md5': {
      const date = datetimeBuckets(column(spec.column), spec.format)
      const rest = md5Buckets(spec.columns.map(column), spec.count)
      return (row) => `${date(row)}_${rest(row)}`
    }
  }
}

function md5Buckets(columns: readonly PartitionSource[], count: number): BucketOf {
  return (row) => {
    const text = columns.map(({ cells, type }) => hashedText(cells[row], type)).join('|')
    return String(md5Modulo(text, count))
  }
}

function hashedText(value: unknown, type: LakeType): string {
  try {
    return pythonText(value, type)
  } catch (error) {
    // The row will be refused for this value, by whoever knows the column's name.
    if (error instanceof Misfit) return pythonText(null, type)
    throw error
  }
}

/** The whole 128 bit number modulo the count, word by word: the remainder and the next 16 bits stay below 2^53. */
function md5Modulo(text: string, count: number): number {
  const digest = hash('md5', text, 'buffer')
  let remainder = 0
  for (let at = 0; at < digest.length; at += 2)
    remainder = (remainder * 65_536 + digest.readUInt16BE(at)) % count
  return remainder
}

function numericalBuckets({ cells }: PartitionSource, size: bigint): BucketOf {
  return (row) => {
    const key = wholeKey(cells[row])
    return key === null ? NO_NUMBER : String(floorDivide(key, size))
  }
}

function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend % divisor < 0n ? quotient - 1n : quotient
}

const WHOLE_TEXT = /^\s*[+-]?\d+(?:_\d+)*\s*$/

/** What Python's `int()` makes of a value, or null where it refuses it: decimals are cut off, and texts must be whole. */
function wholeKey(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : null
  if (typeof value === 'string')
    return WHOLE_TEXT.test(value) ? BigInt(value.trim().replace(/[+_]/g, '')) : null
  return value instanceof DecimalText ? truncated(value.text) : null
}

function truncated(text: string): bigint | null {
  try {
    const decimal = parseDecimal(text)
    return decimal === null ? null : decimal.unscaled / 10n ** BigInt(decimal.scale)
  } catch (error) {
    if (error instanceof Misfit) return null
    throw error
  }
}

function datetimeBuckets({ cells, type }: PartitionSource, format: BucketFormat): BucketOf {
  return (row) => datetimeBucket(cells[row], type, format)
}
