import pg from 'pg'
import type { TableColumn } from './table.ts'

/** Of an offset and a bit that tells nulls. */
const VALUE_OVERHEAD_BYTES = 5

/** Types whose length Postgres knows without reading what lies apart from the row, compressed or not. */
const LENGTH_IS_KNOWN = new Set(['text', 'varchar', 'bpchar', 'json', 'bytea'])
/** Values that are stored as they are and below this take little more as text. */
const SMALL_BYTES = 2_000

/** What a row takes in the lake's memory, as an SQL expression: exact for texts, an upper bound for most of the rest. */
export function rowWidth(columns: readonly TableColumn[]): string {
  const fixed = columns.reduce(
    (sum, { mapping }) => sum + (mapping.fixedBytes ?? 0) + VALUE_OVERHEAD_BYTES,
    0,
  )
  const varying = columns.filter(({ mapping }) => mapping.fixedBytes === null).map(valueWidth)
  return [fixed, ...varying].join(' + ')
}

function valueWidth({ name, catalog, mapping }: TableColumn): string {
  const column = pg.escapeIdentifier(name)
  if (catalog.builtIn && LENGTH_IS_KNOWN.has(catalog.base)) {
    const value = catalog.base === 'json' ? `${column}::pg_catalog.text` : column
    return `coalesce(octet_length(${value}), 0)`
  }
  // Numbers and keys of jsonb, and values of arrays, are up to about twice as long when written.
  return `CASE WHEN ${column} IS NULL THEN 0
    WHEN pg_column_compression(${column}) IS NULL AND pg_column_size(${column}) < ${SMALL_BYTES} THEN pg_column_size(${column}) * 2 + 16
    ELSE octet_length((${mapping.partSql(column)})::text) END`
}
