import type { ColumnSpec } from '../../backends/schema.ts'

/** A column of generated data, which has a value in every row unless it is said to be nullable. */
export function column(name: string, type: ColumnSpec['type'], nullable = false): ColumnSpec {
  return { name, type, nullable }
}
