import type { ColumnSpec, LakeType } from '../../../backends/schema.ts'
import { digitsOf, type Observation, SEEN } from './observation.ts'
import { Misfit } from './values.ts'

const MAX_DIGITS = 38
/**
 * Room that an inferred decimal starts with, so that the next batch's longer values still fit: all of int64 before the
 * point, nine digits after it. It leaves ten of the 38 digits for either side to grow.
 */
const DECIMAL_INTEGER_DIGITS = 19
const DECIMAL_SCALE = 9

const MAX_SAFE = Number.MAX_SAFE_INTEGER
/** Up to which every whole number is a float32. */
const MAX_SAFE_FLOAT32 = 2 ** 24
/** An object with more fields than this is a map with keys of its own rather than a struct. */
const MAX_FIELDS = 256

const WHOLE = SEEN.integer | SEEN.bigInteger
const NESTED = SEEN.object | SEEN.list

const INTEGER_BITS = { int8: 8, int16: 16, int32: 32, int64: 64 } as const

/**
 * The type of a column that the source doesn't declare, or null where it held nothing but nulls.
 * @throws Misfit where whole numbers beyond ±2^53 stand beside fractions, which no type holds together
 */
export function inferType(seen: Observation): LakeType | null {
  const kinds = seen.seen
  if (kinds === 0) return null
  if ((kinds & NESTED) !== 0) return nestedType(seen)
  if ((kinds & ~(WHOLE | SEEN.float | SEEN.decimal)) === 0) return numberType(seen)
  if (kinds === SEEN.bool) return { kind: 'bool' }
  if (kinds === SEEN.moment) return { kind: 'timestamptz' }
  if (kinds === SEEN.binary) return { kind: 'binary' }
  return { kind: 'string' }
}

function numberType(seen: Observation): LakeType {
  if ((seen.seen & SEEN.float) !== 0) return floatType(seen)
  if ((seen.seen & SEEN.decimal) !== 0) return decimalType(seen)
  if ((seen.seen & SEEN.bigInteger) === 0) return { kind: 'int64' }
  return seen.integerDigits > MAX_DIGITS
    ? { kind: 'string' }
    : { kind: 'decimal', precision: MAX_DIGITS, scale: 0 }
}

function floatType(seen: Observation): LakeType {
  if ((seen.seen & SEEN.decimal) !== 0) return { kind: 'string' }
  if (holdsWhole(seen, MAX_SAFE) && (seen.seen & SEEN.bigInteger) === 0) return { kind: 'float64' }
  throw new Misfit('holds whole numbers beyond ±2^53 beside fractions')
}

function decimalType(seen: Observation): LakeType {
  const integerDigits = wholeDigits(seen)
  const precision = Math.max(DECIMAL_INTEGER_DIGITS, integerDigits) + Math.max(DECIMAL_SCALE, seen.scale)
  if (precision <= MAX_DIGITS)
    return { kind: 'decimal', precision, scale: Math.max(DECIMAL_SCALE, seen.scale) }
  if (integerDigits + seen.scale > MAX_DIGITS) return { kind: 'string' }
  return { kind: 'decimal', precision: MAX_DIGITS, scale: seen.scale }
}

function nestedType(seen: Observation): LakeType {
  if (seen.seen === SEEN.object) return structType(seen.fields) ?? { kind: 'json' }
  if (seen.seen === SEEN.list) {
    const element = seen.element === null ? null : inferType(seen.element)
    return element === null ? { kind: 'json' } : { kind: 'list', element }
  }
  // Text beside objects stays as it is, so the column is no JSON any more.
  return (seen.seen & SEEN.object) !== 0 && (seen.seen & SEEN.text) !== 0
    ? { kind: 'string' }
    : { kind: 'json' }
}

/** Null where no struct has such fields: too many of them, none with a value, or two that differ in case only. */
function structType(fields: ReadonlyMap<string, Observation>): LakeType | null {
  const typed: ColumnSpec[] = []
  for (const [name, field] of fields) {
    const type = inferType(field)
    if (type !== null) typed.push({ name, type, nullable: true })
  }
  const distinct = new Set(typed.map(({ name }) => name.toLowerCase()))
  const isStruct =
    typed.length > 0 && typed.length <= MAX_FIELDS && distinct.size === typed.length && !distinct.has('')
  return isStruct ? { kind: 'struct', fields: typed } : null
}

/** Whether a column holds scalars beside lists and no objects: then each scalar is stored as a list of one. */
export function wrapsScalars(seen: Observation): boolean {
  return (seen.seen & SEEN.list) !== 0 && (seen.seen & SEEN.object) === 0 && seen.seen !== SEEN.list
}

/** Whether a stored type holds every value that was seen, exactly. Text holds everything. */
export function holdsSeen(type: LakeType, seen: Observation): boolean {
  const kinds = seen.seen
  const only = (allowed: number) => (kinds & ~allowed) === 0
  switch (type.kind) {
    case 'string':
    case 'json':
      return true
    case 'bool':
      return only(SEEN.bool)
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return only(SEEN.integer) && holdsInteger(seen, INTEGER_BITS[type.kind])
    case 'float32':
      return only(SEEN.integer) && holdsWhole(seen, MAX_SAFE_FLOAT32)
    case 'float64':
      return only(SEEN.integer | SEEN.float) && holdsWhole(seen, MAX_SAFE)
    case 'decimal':
      return (
        only(WHOLE | SEEN.decimal) &&
        wholeDigits(seen) <= type.precision - type.scale &&
        seen.scale <= type.scale
      )
    case 'timestamptz':
      return only(SEEN.moment)
    case 'binary':
      return only(SEEN.binary)
    case 'list':
      return only(SEEN.list) && (seen.element === null || holdsSeen(type.element, seen.element))
    case 'struct':
      return only(SEEN.object) && fieldsHold(type.fields, seen.fields)
    case 'date':
    case 'timestamp':
      return kinds === 0
  }
}

function fieldsHold(fields: readonly ColumnSpec[], seen: ReadonlyMap<string, Observation>): boolean {
  const types = new Map(fields.map(({ name, type }) => [name, type]))
  for (const [name, field] of seen) {
    const type = types.get(name)
    if (type === undefined ? field.seen !== 0 : !holdsSeen(type, field)) return false
  }
  return true
}

function holdsWhole({ min, max }: Observation, bound: number): boolean {
  return min >= -bound && max <= bound
}

function holdsInteger({ min, max }: Observation, bits: number): boolean {
  return BigInt(max) < 2n ** BigInt(bits - 1) && BigInt(min) >= -(2n ** BigInt(bits - 1))
}

/** Digits before the point of the largest number that was seen. */
function wholeDigits(seen: Observation): number {
  const isWhole = (seen.seen & SEEN.integer) !== 0
  return Math.max(seen.integerDigits, isWhole ? Math.max(digitsOf(seen.min), digitsOf(seen.max)) : 0)
}
