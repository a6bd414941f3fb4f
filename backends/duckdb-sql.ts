import { identifier } from '../platform/duckdb/sql.ts'
import type { LakeType, ScalarKind } from './schema.ts'

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

/** A lake type as DuckDB names it. */
export function duckDbSqlOf(type: LakeType): string {
  if (type.kind === 'decimal') return `DECIMAL(${type.precision}, ${type.scale})`
  if (type.kind === 'list') return `${duckDbSqlOf(type.element)}[]`
  if (type.kind !== 'struct') return SQL_OF[type.kind]
  return `STRUCT(${type.fields.map((field) => `${identifier(field.name)} ${duckDbSqlOf(field.type)}`).join(', ')})`
}
