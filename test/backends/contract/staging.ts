import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { StagedPart } from '../../../backends/backend.ts'
import type { ColumnSpec } from '../../../backends/schema.ts'
import type { Row } from './rows.ts'
import { literalOf, quoted, sqlTypeOf } from './rows.ts'

export interface PartContent {
  readonly rows: readonly Row[]
  /** The columns of the part, in its order; the table's where not given. */
  readonly columns?: readonly ColumnSpec[]
  /** DuckDB types that differ from the columns': narrower, unsigned or wrong ones. */
  readonly types?: Readonly<Record<string, string>>
}

/** Writes the rows as one zstd Parquet file, as the staging writer of the pipeline does. */
export async function stagePart(
  connection: DuckDBConnection,
  uri: string,
  content: Required<PartContent>,
): Promise<StagedPart> {
  if (uri.startsWith('/')) await mkdir(dirname(uri), { recursive: true })
  await connection.run(`COPY (${selectOf(content)}) TO '${uri}' (FORMAT parquet, COMPRESSION zstd)`)
  const payloadBytes = JSON.stringify(content.rows).length
  return { uri, rows: content.rows.length, bytes: payloadBytes, payloadBytes }
}

function selectOf({ rows, columns, types }: Required<PartContent>): string {
  const casts = columns.map((column, index) => {
    const type = types[column.name] ?? sqlTypeOf(column.type)
    return `CAST(c${index} AS ${type}) AS ${quoted(column.name)}`
  })
  const names = columns.map((_, index) => `c${index}`).join(', ')
  const tuple = (row: Row) =>
    `(${columns.map((column) => literalOf(row[column.name] ?? null, types[column.name] === undefined ? column.type : { kind: 'string' })).join(', ')})`
  const nothing = `(${columns.map(() => 'NULL').join(', ')})`
  const values = rows.length === 0 ? nothing : rows.map(tuple).join(', ')
  return `SELECT ${casts.join(', ')} FROM (VALUES ${values}) AS batch(${names}) ${rows.length === 0 ? 'WHERE false' : ''}`
}
