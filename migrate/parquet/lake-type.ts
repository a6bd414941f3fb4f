import type { ParquetNode } from './schema.ts'

const TIMESTAMP =
  /^TimestampType\(isAdjustedToUTC=([01]), unit=TimeUnit\(MILLIS=([^,]*), MICROS=([^,]*), NANOS=/

const BY_CONVERTED_TYPE: Readonly<Record<string, string>> = {
  INT_8: 'TINYINT',
  INT_16: 'SMALLINT',
  INT_32: 'INTEGER',
  INT_64: 'BIGINT',
  UINT_8: 'UTINYINT',
  UINT_16: 'USMALLINT',
  UINT_32: 'UINTEGER',
  UINT_64: 'UBIGINT',
  DATE: 'DATE',
  TIMESTAMP_MICROS: 'TIMESTAMP',
  TIMESTAMP_MILLIS: 'TIMESTAMP',
  UTF8: 'VARCHAR',
  ENUM: 'VARCHAR',
  TIME_MILLIS: 'TIME',
  TIME_MICROS: 'TIME',
  INTERVAL: 'INTERVAL',
  JSON: 'JSON',
}
const BY_PHYSICAL_TYPE: Readonly<Record<string, string>> = {
  BOOLEAN: 'BOOLEAN',
  INT32: 'INTEGER',
  INT64: 'BIGINT',
  INT96: 'INT96',
  FLOAT: 'FLOAT',
  DOUBLE: 'DOUBLE',
  BYTE_ARRAY: 'BLOB',
  FIXED_LEN_BYTE_ARRAY: 'BLOB',
}

/**
 * The type that DuckLake 1.0 takes a leaf of a Parquet file for when the file is added. It isn't always the one that DuckDB
 * reads it as: INT96 and nanoseconds, which DuckLake reads as microseconds, have names of their own here.
 */
export function lakeTypeOfLeaf(node: ParquetNode): string {
  const timestamp = TIMESTAMP.exec(node.logicalType ?? '')
  if (timestamp !== null) {
    const [, utc, millis, micros] = timestamp
    const nanos = millis === '<null>' && micros === '<null>'
    return `TIMESTAMP${nanos ? '_NS' : ''}${utc === '1' ? ' WITH TIME ZONE' : ''}`
  }
  if (node.logicalType?.startsWith('UUIDType')) return 'UUID'
  if (node.convertedType === 'DECIMAL') return `DECIMAL(${node.precision},${node.scale})`
  return (
    BY_CONVERTED_TYPE[node.convertedType ?? ''] ??
    BY_PHYSICAL_TYPE[node.physicalType ?? ''] ??
    'an unknown type'
  )
}
