import { identifier } from '../../platform/duckdb/sql.ts'
import { type DeltaField, type DeltaType, typeText } from '../log/schema.ts'

/** Delta's primitive types as DuckLake stores them; both sides hold the same values. */
const SQL_OF: ReadonlyMap<string, string> = new Map([
  ['string', 'VARCHAR'],
  ['long', 'BIGINT'],
  ['integer', 'INTEGER'],
  ['short', 'SMALLINT'],
  ['byte', 'TINYINT'],
  ['float', 'FLOAT'],
  ['double', 'DOUBLE'],
  ['boolean', 'BOOLEAN'],
  ['binary', 'BLOB'],
  ['date', 'DATE'],
  ['timestamp', 'TIMESTAMP WITH TIME ZONE'],
  ['timestamp_ntz', 'TIMESTAMP'],
  ['variant', 'VARIANT'],
])
const MAX_DECIMAL_DIGITS = 38

/** By which of a field's names a type is spelled: files have the physical ones, people the logical ones. */
export type Naming = 'logical' | 'physical'

export function nameOf(field: Pick<DeltaField, 'name' | 'physicalName'>, naming: Naming): string {
  return naming === 'logical' ? field.name : field.physicalName
}

/** A type as DuckDB spells it; only for one without {@link typeProblems}. */
export function sqlOf(type: DeltaType, naming: Naming): string {
  if (type.kind === 'decimal') return `DECIMAL(${type.precision},${type.scale})`
  if (type.kind === 'array') return `${sqlOf(type.element, naming)}[]`
  if (type.kind === 'map') return `MAP(${sqlOf(type.key, naming)}, ${sqlOf(type.value, naming)})`
  if (type.kind === 'struct') {
    const fields = type.fields.map(
      (field) => `${identifier(nameOf(field, naming))} ${sqlOf(field.type, naming)}`,
    )
    return `STRUCT(${fields.join(', ')})`
  }
  return SQL_OF.get(type.name) ?? type.name
}

/** What of a column DuckLake can't hold at all, as sentences; empty where it can. */
export function typeProblems(type: DeltaType, path: string): readonly string[] {
  if (type.kind === 'decimal') {
    const fits = type.precision <= MAX_DECIMAL_DIGITS && type.scale >= 0 && type.scale <= type.precision
    return fits
      ? []
      : [`${path} is ${typeText(type)}, and DuckDB's decimals have up to 38 digits and a scale from 0`]
  }
  if (type.kind === 'array') return nestedProblems(type.element, `${path}.element`)
  if (type.kind === 'map') {
    return [...nestedProblems(type.key, `${path}.key`), ...nestedProblems(type.value, `${path}.value`)]
  }
  if (type.kind === 'struct') return structProblems(type.fields, path)
  return SQL_OF.has(type.name) ? [] : [`${path} is ${type.name}, which DuckLake has no type for`]
}

function structProblems(fields: readonly DeltaField[], path: string): readonly string[] {
  if (fields.length === 0) return [`${path} is a struct without fields, which DuckDB doesn't have`]
  return [
    ...collisions(fields.map(({ name }) => name)).map(
      (names) => `${path} has the fields ${names.join(' and ')}, which differ by case alone`,
    ),
    ...fields.flatMap(({ name, type }) => nestedProblems(type, `${path}.${name}`)),
  ]
}

function nestedProblems(type: DeltaType, path: string): readonly string[] {
  if (type.kind === 'primitive' && type.name === 'variant') {
    return [`${path} is a variant within another type, which DuckDB can't write to Parquet`]
  }
  return typeProblems(type, path)
}

/** Groups of names that are one name to DuckDB, which ignores case. */
export function collisions(names: readonly string[]): readonly (readonly string[])[] {
  const byLower = Map.groupBy(names, (name) => name.toLowerCase())
  return [...byLower.values()]
    .filter((group) => group.length > 1)
    .map((group) => group.map((name) => `"${name}"`))
}

/** Whether a type has a variant somewhere. */
export function hasVariant(type: DeltaType): boolean {
  return type.kind === 'primitive' && type.name === 'variant'
}
