import type { DuckDBConnection } from '@duckdb/node-api'
import { z } from 'zod'
import type { BackendEnvironment, Format } from '../../../backends/backend.ts'
import type { TableSpec } from '../../../backends/schema.ts'
import { type PostgresEndpoint, uriOf } from '../../../platform/endpoints.ts'
import type { Cell, Row } from './rows.ts'
import { quoted, text } from './rows.ts'

const cellSchema: z.ZodType<Cell> = z.lazy(() =>
  z.union([
    z.null(),
    z.boolean(),
    z.number(),
    z.string(),
    z.array(cellSchema),
    z.record(z.string(), cellSchema),
  ]),
)
const rowsSchema = z.array(z.record(z.string(), cellSchema))

export type Query = (statement: (from: string) => string) => Promise<readonly Row[]>

/** The whole table, as any other client would read it: by the format alone, without our backends. */
export function readTable(query: Query, spec: TableSpec): Promise<readonly Row[]> {
  return query((from) => `SELECT ${spec.columns.map(selected).join(', ')} FROM ${from}`)
}

/** Queries of a table, each of which sees what is committed at that moment. */
export function tableQuery(
  connection: DuckDBConnection,
  environment: BackendEnvironment,
  format: Format,
  table: string,
): Query {
  return async (statement) => {
    const from =
      format === 'delta'
        ? `delta_scan(${text(uriOf(environment.storage, table))})`
        : `${await attachedCatalog(connection, environment)}.main.${quoted(table)}`
    const result = await connection.runAndReadAll(statement(from))
    return rowsSchema.parse(result.getRowObjectsJson())
  }
}

/**
 * Attached once and for good: every query is a transaction of its own with the newest snapshot, while DuckDB 1.5.5 now
 * and then does not find a catalog in the statement after its ATTACH.
 */
async function attachedCatalog(
  connection: DuckDBConnection,
  environment: BackendEnvironment,
): Promise<string> {
  const { postgres, schema } = environment.catalog
  const source = text(`ducklake:postgres:${connectionString(postgres)}`)
  await connection.run(
    `ATTACH IF NOT EXISTS ${source} AS stored (READ_ONLY, METADATA_SCHEMA ${text(schema)})`,
  )
  return 'stored'
}

function selected({ name, type }: TableSpec['columns'][number]): string {
  return type.kind === 'binary' ? `hex(${quoted(name)}) AS ${quoted(name)}` : quoted(name)
}

/** The key=value form of libpq: the URL form is reported to fail with DuckLake (dlt-hub/dlt#4442). */
function connectionString(postgres: PostgresEndpoint): string {
  return [
    `host=${connectionValue(postgres.host)}`,
    `port=${postgres.port}`,
    `user=${connectionValue(postgres.user)}`,
    `password=${connectionValue(postgres.password)}`,
    `dbname=${connectionValue(postgres.database)}`,
    ...(postgres.sslmode === undefined ? [] : [`sslmode=${postgres.sslmode}`]),
  ].join(' ')
}

function connectionValue(raw: string): string {
  return `'${raw.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
