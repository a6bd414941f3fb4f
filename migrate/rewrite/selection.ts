import type { ResultColumn } from '../../platform/duckdb/session.ts'
import { identifier } from '../../platform/duckdb/sql.ts'
import type { PlannedColumn } from '../plan/columns.ts'
import type { FilesPlan } from '../plan/plan-files.ts'
import { sqlOf } from '../plan/types.ts'
import { readExpression } from './read-expression.ts'

/** The name by which a rewrite reads the rows of data files. */
export const ROWS = 'delta_row'

/** DuckDB's name for the position of a row in its file. */
export const POSITION = 'file_row_number'

/** A column of the table as an expression over the rows of a data file; null for a partition column, which isn't in files. */
export interface SelectedColumn {
  readonly column: PlannedColumn
  readonly sql: string | null
}

/**
 * @param fileColumns of the data files, as DuckDB reads them
 * @throws NoConversion for a column that can't be read as the table's
 */
export function selectedColumns(
  { snapshot, columns, naming }: Pick<FilesPlan, 'snapshot' | 'columns' | 'naming'>,
  fileColumns: readonly ResultColumn[],
): readonly SelectedColumn[] {
  const types = new Map(fileColumns.map(({ name, type }) => [name, type]))
  const partitions = new Set(snapshot.table.partitionColumns)
  return columns.map((column) => {
    const { name, physicalName, type } = column.field
    if (partitions.has(name)) return { column, sql: null }
    const found = types.get(physicalName)
    const value = `${ROWS}.${identifier(physicalName)}`
    if (found === undefined) return { column, sql: `CAST(NULL AS ${sqlOf(type, naming)})` }
    return { column, sql: readExpression(found, type, value, naming, `"${name}"`) }
  })
}
