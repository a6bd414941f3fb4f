import type { TableSpec } from '../../backends/schema.ts'
import { column } from './column.ts'

/** A table of narrow rows in buckets, which are its partitions, with one column of text that changes with the row. */
export function keyedTable(name: string, textColumn: string): TableSpec {
  return {
    name,
    columns: [
      column('id', { kind: 'int64' }),
      column('bucket', { kind: 'string' }),
      column('status', { kind: 'string' }),
      column('amount', { kind: 'decimal', precision: 18, scale: 2 }),
      column('updated_at', { kind: 'timestamp' }),
      column(textColumn, { kind: 'string' }),
    ],
    primaryKey: ['id'],
    partitionBy: 'bucket',
  }
}
