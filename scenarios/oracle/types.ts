import type { LakeType } from '../../backends/schema.ts'
import { identifier } from '../../platform/duckdb/sql.ts'

/** The DuckDB type in which the oracle compares a column, whatever type a format's reader gives it. */
export function comparedType(type: LakeType): string {
  switch (type.kind) {
    case 'bool':
      return 'BOOLEAN'
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return 'BIGINT'
    case 'float32':
      return 'FLOAT'
    case 'float64':
      return 'DOUBLE'
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`
    case 'date':
      return 'DATE'
    case 'timestamp':
      return 'TIMESTAMP'
    case 'timestamptz':
      return 'TIMESTAMPTZ'
    case 'string':
    case 'json':
      return 'VARCHAR'
    case 'binary':
      return 'BLOB'
    case 'list':
      return `${comparedType(type.element)}[]`
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${identifier(field.name)} ${comparedType(field.type)}`).join(', ')})`
  }
}
