import type { LakeType } from '../../../backends/schema.ts'
import { identifier } from '../../../platform/duckdb/sql.ts'

/** How a column of a Parquet file is read: which type it has, and by which SQL its values come out without a loss. */
export interface ParquetColumn {
  readonly type: LakeType
  readonly sql: string
}

const AS_IT_IS: Readonly<Record<string, LakeType>> = {
  BOOLEAN: { kind: 'bool' },
  TINYINT: { kind: 'int8' },
  UTINYINT: { kind: 'int16' },
  SMALLINT: { kind: 'int16' },
  USMALLINT: { kind: 'int32' },
  INTEGER: { kind: 'int32' },
  UINTEGER: { kind: 'int64' },
  BIGINT: { kind: 'int64' },
  FLOAT: { kind: 'float32' },
  DOUBLE: { kind: 'float64' },
  VARCHAR: { kind: 'string' },
  BLOB: { kind: 'binary' },
}

/** As text, since JavaScript's numbers and dates would round them. */
const AS_TEXT: Readonly<Record<string, LakeType>> = {
  UBIGINT: { kind: 'decimal', precision: 20, scale: 0 },
  HUGEINT: { kind: 'decimal', precision: 38, scale: 0 },
  DATE: { kind: 'date' },
  TIMESTAMP: { kind: 'timestamp' },
  TIMESTAMP_S: { kind: 'timestamp' },
  TIMESTAMP_MS: { kind: 'timestamp' },
  TIMESTAMP_NS: { kind: 'timestamp' },
  'TIMESTAMP WITH TIME ZONE': { kind: 'timestamptz' },
  JSON: { kind: 'json' },
}

/** @param sqlType as DuckDB describes it */
export function parquetColumn(sqlType: string, name: string): ParquetColumn {
  const column = identifier(name)
  const plain = AS_IT_IS[sqlType]
  if (plain !== undefined) return { type: plain, sql: column }
  const text = AS_TEXT[sqlType] ?? decimalType(sqlType)
  if (text !== null) return { type: text, sql: `CAST(${column} AS VARCHAR)` }
  if (isNested(sqlType)) return { type: { kind: 'json' }, sql: `CAST(to_json(${column}) AS VARCHAR)` }
  return { type: { kind: 'string' }, sql: `CAST(${column} AS VARCHAR)` }
}

function decimalType(sqlType: string): LakeType | null {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(sqlType) ?? []
  return precision === undefined
    ? null
    : { kind: 'decimal', precision: Number(precision), scale: Number(scale) }
}

function isNested(sqlType: string): boolean {
  return /\]$|^(?:STRUCT|MAP|UNION)\(/.test(sqlType)
}
