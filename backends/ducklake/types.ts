import type { DuckDBType } from '@duckdb/node-api'
import { DuckDBDecimalType, DuckDBListType, DuckDBStructType, DuckDBTypeId } from '@duckdb/node-api'
import { identifier } from '../../platform/duckdb/sql.ts'
import type { ColumnSpec, LakeType, ScalarKind } from '../schema.ts'

/** JSON is stored as VARCHAR: a cast to DuckDB's JSON parses every value, which is dear for megabytes of text. */
const SQL_OF: Readonly<Record<ScalarKind, string>> = {
  bool: 'BOOLEAN',
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  string: 'VARCHAR',
  json: 'VARCHAR',
  binary: 'BLOB',
}

/** Unsigned integers count as the next wider type, as `backends/schema.ts` lays down; nanoseconds would lose digits. */
const KIND_OF: Readonly<Partial<Record<DuckDBTypeId, ScalarKind>>> = {
  [DuckDBTypeId.BOOLEAN]: 'bool',
  [DuckDBTypeId.TINYINT]: 'int8',
  [DuckDBTypeId.UTINYINT]: 'int16',
  [DuckDBTypeId.SMALLINT]: 'int16',
  [DuckDBTypeId.USMALLINT]: 'int32',
  [DuckDBTypeId.INTEGER]: 'int32',
  [DuckDBTypeId.UINTEGER]: 'int64',
  [DuckDBTypeId.BIGINT]: 'int64',
  [DuckDBTypeId.FLOAT]: 'float32',
  [DuckDBTypeId.DOUBLE]: 'float64',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIMESTAMP_S]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_MS]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'timestamptz',
  [DuckDBTypeId.VARCHAR]: 'string',
  [DuckDBTypeId.ENUM]: 'string',
  [DuckDBTypeId.UUID]: 'string',
  [DuckDBTypeId.BLOB]: 'binary',
}

/** Decimal digits of an integer kind's largest value; also its rank among the integers. */
const INTEGER_DIGITS: Readonly<Partial<Record<LakeType['kind'], number>>> = {
  int8: 3,
  int16: 5,
  int32: 10,
  int64: 19,
}

/** Digits that a float holds exactly. */
const FLOAT_DIGITS: Readonly<Partial<Record<LakeType['kind'], number>>> = { float32: 7, float64: 15 }

export function duckDbSqlOf(type: LakeType): string {
  if (type.kind === 'decimal') return `DECIMAL(${type.precision}, ${type.scale})`
  if (type.kind === 'list') return `${duckDbSqlOf(type.element)}[]`
  if (type.kind !== 'struct') return SQL_OF[type.kind]
  return `STRUCT(${type.fields.map((field) => `${identifier(field.name)} ${duckDbSqlOf(field.type)}`).join(', ')})`
}

/** The lake type that holds all values of a DuckDB type, or null where there is none. */
export function lakeTypeOf(type: DuckDBType): LakeType | null {
  if (type instanceof DuckDBDecimalType) return { kind: 'decimal', precision: type.width, scale: type.scale }
  if (type instanceof DuckDBListType) {
    const element = lakeTypeOf(type.valueType)
    return element === null ? null : { kind: 'list', element }
  }
  if (type instanceof DuckDBStructType) return structOf(type)
  if (type.typeId === DuckDBTypeId.UBIGINT) return { kind: 'decimal', precision: 20, scale: 0 }
  const kind = KIND_OF[type.typeId]
  return kind === undefined ? null : { kind }
}

/** Whether a column of `target` takes every value of `source` without a change. */
export function holds(target: LakeType, source: LakeType): boolean {
  if (target.kind === 'list') return source.kind === 'list' && holds(target.element, source.element)
  if (target.kind === 'struct') return source.kind === 'struct' && fieldsHold(target.fields, source.fields)
  if (target.kind === 'decimal') return decimalHolds(target.precision, target.scale, source)
  const digits = INTEGER_DIGITS[source.kind]
  const capacity = INTEGER_DIGITS[target.kind] ?? FLOAT_DIGITS[target.kind]
  if (digits !== undefined && capacity !== undefined) return digits <= capacity
  if (source.kind === 'float32' && target.kind === 'float64') return true
  return isText(target) ? isText(source) : target.kind === source.kind
}

function structOf(type: DuckDBStructType): LakeType | null {
  const fields: ColumnSpec[] = []
  for (const [index, name] of type.entryNames.entries()) {
    const entry = type.entryTypes[index]
    const field = entry === undefined ? null : lakeTypeOf(entry)
    if (field === null) return null
    fields.push({ name, type: field, nullable: true })
  }
  return { kind: 'struct', fields }
}

function fieldsHold(target: readonly ColumnSpec[], source: readonly ColumnSpec[]): boolean {
  const byName = new Map(source.map((field) => [field.name, field.type]))
  return (
    target.length === source.length &&
    target.every((field) => {
      const type = byName.get(field.name)
      return type !== undefined && holds(field.type, type)
    })
  )
}

function decimalHolds(precision: number, scale: number, source: LakeType): boolean {
  const digits = INTEGER_DIGITS[source.kind]
  if (digits !== undefined) return precision - scale >= digits
  return (
    source.kind === 'decimal' && scale >= source.scale && precision - scale >= source.precision - source.scale
  )
}

function isText(type: LakeType): boolean {
  return type.kind === 'string' || type.kind === 'json'
}
