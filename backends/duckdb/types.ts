import type { DuckDBType } from '@duckdb/node-api'
import { DuckDBDecimalType, DuckDBListType, DuckDBStructType, DuckDBTypeId } from '@duckdb/node-api'
import type { ColumnSpec, LakeType, ScalarKind } from '../schema.ts'

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
