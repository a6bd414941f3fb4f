/** Reading tables of both formats with DuckDB, apart from the backends that write them: for oracles, and for parents of nested tables. */

import { attachDuckLake, createS3Secret, secretsOf } from '../platform/duckdb/attach.ts'
import { DuckDbSession } from '../platform/duckdb/session.ts'
import { identifier, literal } from '../platform/duckdb/sql.ts'
import { uriOf } from '../platform/endpoints.ts'
import type { BackendEnvironment, Format } from './backend.ts'

/** The extensions that a reader of each format needs beside `httpfs`, which it needs on S3. */
const EXTENSIONS: Readonly<Record<Format, readonly string[]>> = {
  ducklake: ['ducklake', 'postgres_scanner'],
  delta: ['delta'],
}

/** A DuckDB that can read the storage of an environment, and no format yet. */
export function openSession(
  environment: BackendEnvironment,
  extensions: readonly string[],
): Promise<DuckDbSession> {
  const remote = environment.storage.kind === 's3'
  return withS3Secret(
    DuckDbSession.open({
      extensionPaths: environment.duckdbExtensions,
      extensions: [...(remote ? ['httpfs'] : []), ...extensions],
      settings: { threads: environment.threads, temp_directory: environment.scratchDir, TimeZone: 'UTC' },
      secrets: secretsOf(environment.storage, environment.catalog.postgres),
    }),
    environment,
  )
}

async function withS3Secret(
  opening: Promise<DuckDbSession>,
  environment: BackendEnvironment,
): Promise<DuckDbSession> {
  const session = await opening
  if (environment.storage.kind === 's3') await createS3Secret(session, environment.storage.endpoint)
  return session
}

/** A reader of a format that shares nothing with the backend that wrote it. */
export async function openReader(format: Format, environment: BackendEnvironment): Promise<DuckDbSession> {
  const session = await openSession(environment, EXTENSIONS[format])
  if (format === 'ducklake') {
    await attachDuckLake(session, 'lake', {
      catalog: environment.catalog,
      storage: environment.storage,
      dataFolder: null,
      readOnly: true,
      inliningRowLimit: 0,
    })
  }
  return session
}

/** The FROM item by which DuckDB reads a table. */
export function relationOf(format: Format, environment: BackendEnvironment, tableName: string): string {
  return format === 'ducklake'
    ? `lake.main.${identifier(tableName)}`
    : `delta_scan(${literal(uriOf(environment.storage, tableName))})`
}
