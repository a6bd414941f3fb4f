import type { ColumnSpec, LakeType } from './schema.ts'

/** Decimal digits of an integer kind's largest value; also its rank among the integers. */
const INTEGER_DIGITS: Readonly<Partial<Record<LakeType['kind'], number>>> = {
  int8: 3,
  int16: 5,
  int32: 10,
  int64: 19,
}

/** Digits that a float holds exactly. */
const FLOAT_DIGITS: Readonly<Partial<Record<LakeType['kind'], number>>> = { float32: 7, float64: 15 }

const MAX_DECIMAL_DIGITS = 38
const DOUBLE: LakeType = { kind: 'float64' }

/** Whether a column of `target` takes every value of `source` without a change. */
export function holds(target: LakeType, source: LakeType): boolean {
  if (target.kind === 'list') return source.kind === 'list' && holds(target.element, source.element)
  if (target.kind === 'struct') return source.kind === 'struct' && fieldsHold(target.fields, source.fields)
  if (target.kind === 'decimal') return decimalHolds(target, source)
  const digits = INTEGER_DIGITS[source.kind]
  const capacity = INTEGER_DIGITS[target.kind] ?? FLOAT_DIGITS[target.kind]
  if (digits !== undefined && capacity !== undefined) return digits <= capacity
  if (source.kind === 'float32' && target.kind === 'float64') return true
  return isText(target) ? isText(source) : target.kind === source.kind
}

/**
 * The least type that holds every value of both, or null where none does. Integers grow into longer ones and into
 * decimals, decimals up to 38 digits, integers of up to 32 bits into the floats that hold them exactly; text and JSON are
 * text. Lists and structs widen inside; a struct keeps its fields, in the order of `stored`.
 */
export function widened(stored: LakeType, incoming: LakeType): LakeType | null {
  if (stored.kind === 'list' && incoming.kind === 'list') {
    const element = widened(stored.element, incoming.element)
    return element === null ? null : { kind: 'list', element }
  }
  if (stored.kind === 'struct' && incoming.kind === 'struct') {
    return widenedStruct(stored.fields, incoming.fields)
  }
  if (isText(stored) && isText(incoming)) return stored.kind === 'string' ? stored : incoming
  if (holds(stored, incoming)) return stored
  if (holds(incoming, stored)) return incoming
  return widenedNumber(stored, incoming)
}

/** The type as messages name it: `decimal(12,2)`, `list<int64>`, `struct<a: int32>`. */
export function typeName(type: LakeType): string {
  if (type.kind === 'decimal') return `decimal(${type.precision},${type.scale})`
  if (type.kind === 'list') return `list<${typeName(type.element)}>`
  if (type.kind !== 'struct') return type.kind
  return `struct<${type.fields.map((field) => `${field.name}: ${typeName(field.type)}`).join(', ')}>`
}

interface Decimal {
  readonly precision: number
  readonly scale: number
}

/** Of two numbers neither of which holds the other. */
function widenedNumber(left: LakeType, right: LakeType): LakeType | null {
  const [one, other] = [asDecimal(left), asDecimal(right)]
  if (one !== null && other !== null) {
    const scale = Math.max(one.scale, other.scale)
    const precision = Math.max(one.precision - one.scale, other.precision - other.scale) + scale
    return precision > MAX_DECIMAL_DIGITS ? null : { kind: 'decimal', precision, scale }
  }
  return holds(DOUBLE, left) && holds(DOUBLE, right) ? DOUBLE : null
}

function asDecimal(type: LakeType): Decimal | null {
  if (type.kind === 'decimal') return type
  const digits = INTEGER_DIGITS[type.kind]
  return digits === undefined ? null : { precision: digits, scale: 0 }
}

function decimalHolds({ precision, scale }: Decimal, source: LakeType): boolean {
  const narrow = asDecimal(source)
  return narrow !== null && scale >= narrow.scale && precision - scale >= narrow.precision - narrow.scale
}

function fieldsHold(target: readonly ColumnSpec[], source: readonly ColumnSpec[]): boolean {
  const types = typesByName(source)
  return (
    target.length === source.length &&
    target.every((field) => {
      const type = types.get(field.name)
      return type !== undefined && holds(field.type, type)
    })
  )
}

function widenedStruct(stored: readonly ColumnSpec[], incoming: readonly ColumnSpec[]): LakeType | null {
  const types = typesByName(incoming)
  if (stored.length !== incoming.length) return null
  const fields: ColumnSpec[] = []
  for (const field of stored) {
    const other = types.get(field.name)
    const type = other === undefined ? null : widened(field.type, other)
    if (type === null) return null
    fields.push({ ...field, type })
  }
  return { kind: 'struct', fields }
}

function typesByName(fields: readonly ColumnSpec[]): ReadonlyMap<string, LakeType> {
  return new Map(fields.map((field) => [field.name, field.type]))
}

function isText(type: LakeType): boolean {
  return type.kind === 'string' || type.kind === 'json'
}
