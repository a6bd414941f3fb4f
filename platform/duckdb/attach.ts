import type { PostgresEndpoint, S3Endpoint, Storage } from '../endpoints.ts'
import { uriOf } from '../endpoints.ts'
import { PROCESS_NAME } from '../services/postgres/process-name.ts'
import type { DuckDbSession } from './session.ts'
import { identifier, literal } from './sql.ts'

export interface DuckLakeCatalog {
  readonly postgres: PostgresEndpoint
  /** METADATA_SCHEMA: the Postgres schema of the catalog. */
  readonly schema: string
}

export interface AttachOptions {
  readonly catalog: DuckLakeCatalog
  readonly storage: Storage
  /** DATA_PATH beneath the storage's root, with a trailing slash; null for the one that the catalog has. */
  readonly dataFolder: string | null
  readonly readOnly: boolean
  /** DATA_INLINING_ROW_LIMIT of tables that have no limit of their own. */
  readonly inliningRowLimit?: number
}

/** The values of an endpoint that {@link DuckDbSession} must keep out of messages. */
export function secretsOf(storage: Storage, postgres: PostgresEndpoint): readonly string[] {
  const s3 =
    storage.kind === 's3' ? [storage.endpoint.secretAccessKey, storage.endpoint.sessionToken ?? ''] : []
  return [...s3, postgres.password]
}

/** Gives the session access to an S3 endpoint. Needs `httpfs`. */
export async function createS3Secret(session: DuckDbSession, endpoint: S3Endpoint): Promise<void> {
  const url = new URL(endpoint.url)
  const fields = {
    KEY_ID: literal(endpoint.accessKeyId),
    SECRET: literal(endpoint.secretAccessKey),
    ...(endpoint.sessionToken === undefined ? {} : { SESSION_TOKEN: literal(endpoint.sessionToken) }),
    ENDPOINT: literal(url.host),
    REGION: literal(endpoint.region),
    URL_STYLE: literal(endpoint.urlStyle),
    USE_SSL: String(url.protocol === 'https:'),
  }
  await session.run(`CREATE OR REPLACE SECRET lakeduel_s3 (TYPE s3, ${pairs(fields)})`)
}

/**
 * Attaches a DuckLake catalog in Postgres under a name. Needs `ducklake`, `postgres_scanner` and, on S3, `httpfs`.
 * The DSN has the key=value form, because `ducklake:postgres:postgres://…` fails (dlt-hub/dlt#4442); the password comes from
 * the default Postgres secret instead, because `duckdb_databases()` and error messages show the DSN.
 */
export async function attachDuckLake(
  session: DuckDbSession,
  name: string,
  options: AttachOptions,
): Promise<void> {
  const { postgres, schema } = options.catalog
  await session.run(
    `CREATE OR REPLACE SECRET __default_postgres (TYPE postgres, PASSWORD ${literal(postgres.password)})`,
  )
  const attachOptions = {
    ...(options.dataFolder === null
      ? {}
      : { DATA_PATH: literal(uriOf(options.storage, options.dataFolder)) }),
    METADATA_SCHEMA: literal(schema),
    ...(options.inliningRowLimit === undefined
      ? {}
      : { DATA_INLINING_ROW_LIMIT: String(options.inliningRowLimit) }),
    ...(options.readOnly ? { READ_ONLY: '' } : {}),
  }
  await session.run(
    `ATTACH ${literal(`ducklake:postgres:${passwordlessDsn(postgres)}`)} AS ${identifier(name)} (${pairs(attachOptions)})`,
  )
}

function passwordlessDsn(postgres: PostgresEndpoint): string {
  const parameters = {
    host: postgres.host,
    port: String(postgres.port),
    user: postgres.user,
    dbname: postgres.database,
    application_name: PROCESS_NAME,
    ...(postgres.sslmode === undefined ? {} : { sslmode: postgres.sslmode }),
  }
  return libpqDsn(parameters)
}

/** A connection string of libpq in its key=value form. */
export function libpqDsn(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([key, value]) => `${key}='${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`)
    .join(' ')
}

function pairs(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key} ${value}`.trim())
    .join(', ')
}
