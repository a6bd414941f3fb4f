import { identifier, literalList } from '../../../platform/duckdb/sql.ts'
import { duckDbSqlOf } from '../../duckdb-sql.ts'
import type { ColumnSpec } from '../../schema.ts'

/** The column that holds the URI of a stored row's file; no column of a table is called so. */
export const FILE = 'lakeduel_file'

/**
 * The rows of data files with their places, as a FROM item. A file that is older than a column doesn't have it, and in
 * the whole of a table nobody may have it yet: an empty relation of all nullable columns stands in for that.
 */
export function storedFiles(uris: readonly string[], columns: readonly ColumnSpec[]): string {
  const missing = columns.filter(({ nullable }) => nullable)
  const scan = `read_parquet(${literalList(uris)}, union_by_name = ${missing.length > 0}, filename = '${FILE}', file_row_number = true, hive_partitioning = false)`
  if (missing.length === 0) return scan
  const nulls = missing.map(({ name, type }) => `NULL::${duckDbSqlOf(type)} AS ${identifier(name)}`)
  return `(SELECT ${nulls.join(', ')} WHERE false UNION ALL BY NAME SELECT * FROM ${scan})`
}
