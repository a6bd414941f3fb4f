import type { ColumnSpec, LakeType, ScalarKind, TableSpec } from '../../../backends/schema.ts'

/**
 * A value as DuckDB's JSON rendering gives it, which is what the model holds and what rows are compared by:
 * int64 and decimals are text, so are dates and timestamps; NaN and the infinities are their names; binary is upper-case hex.
 */
export type Cell = null | boolean | number | string | readonly Cell[] | { readonly [field: string]: Cell }
export type Row = Readonly<Record<string, Cell>>

type TypeName = ScalarKind | LakeType

function typeOf(type: TypeName): LakeType {
  return typeof type === 'string' ? { kind: type } : type
}

export function required(name: string, type: TypeName): ColumnSpec {
  return { name, type: typeOf(type), nullable: false }
}

export function optional(name: string, type: TypeName): ColumnSpec {
  return { name, type: typeOf(type), nullable: true }
}

const SQL_SCALARS: Readonly<Record<ScalarKind, string>> = {
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

/** The DuckDB type that a staged part holds a column in. */
export function sqlTypeOf(type: LakeType): string {
  if (type.kind === 'decimal') return `DECIMAL(${type.precision},${type.scale})`
  if (type.kind === 'list') return `${sqlTypeOf(type.element)}[]`
  if (type.kind !== 'struct') return SQL_SCALARS[type.kind]
  const fields = type.fields.map((field) => `${quoted(field.name)} ${sqlTypeOf(field.type)}`)
  return `STRUCT(${fields.join(', ')})`
}

/** A SQL expression of the value, without its outermost cast. */
export function literalOf(value: Cell, type: LakeType): string {
  if (value === null) return 'NULL'
  if (type.kind === 'list' && Array.isArray(value)) {
    return `[${value.map((element: Cell) => literalOf(element, type.element)).join(', ')}]`
  }
  if (type.kind === 'struct') return structLiteral(value, type.fields)
  if (type.kind === 'binary') return `unhex(${text(textOf(value))})`
  return `CAST(${text(textOf(value))} AS ${sqlTypeOf(type)})`
}

function textOf(value: Cell): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function structLiteral(value: Cell, fields: readonly ColumnSpec[]): string {
  const entries = new Map(typeof value === 'object' && value !== null ? Object.entries(value) : [])
  return `{${fields.map((field) => `${text(field.name)}: ${literalOf(entries.get(field.name) ?? null, field.type)}`).join(', ')}}`
}

/** The row as the table stores it: every column of the table, and 64-bit numbers as text. */
export function storedRow(spec: TableSpec, row: Row): Row {
  return Object.fromEntries(
    spec.columns.map((column) => [column.name, storedCell(row[column.name] ?? null, column.type)]),
  )
}

function storedCell(value: Cell, type: LakeType): Cell {
  return typeof value === 'number' && (type.kind === 'int64' || type.kind === 'decimal')
    ? String(value)
    : value
}

export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
