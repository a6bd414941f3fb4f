import type { ColumnSpec, LakeType } from '../../backends/schema.ts'
import { identifier } from '../../platform/duckdb/sql.ts'

/** Arrow's bytes of one value by type; texts and binaries add a 32-bit offset to their own bytes. */
const FIXED_WIDTHS = {
  bool: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float32: 4,
  float64: 8,
  date: 4,
  timestamp: 8,
  timestamptz: 8,
} as const
const DECIMAL_WIDTH = 16
const OFFSET_WIDTH = 4

/** SQL of the bytes that a row's values take in Arrow, validity bitmaps left out. */
export function payloadWidth(columns: readonly ColumnSpec[]): string {
  return columns.map((column) => valueWidth(column.type, identifier(column.name))).join(' + ')
}

function valueWidth(type: LakeType, value: string): string {
  switch (type.kind) {
    case 'string':
    case 'json':
      return `${OFFSET_WIDTH} + coalesce(strlen(${value}), 0)`
    case 'binary':
      return `${OFFSET_WIDTH} + coalesce(octet_length(${value}), 0)`
    case 'decimal':
      return String(DECIMAL_WIDTH)
    case 'list':
      return `${OFFSET_WIDTH} + coalesce(list_sum(list_transform(${value}, lambda item: ${valueWidth(type.element, 'item')})), 0)`
    case 'struct':
      return type.fields
        .map((field) => valueWidth(field.type, `${value}.${identifier(field.name)}`))
        .join(' + ')
    default:
      return String(FIXED_WIDTHS[type.kind])
  }
}
