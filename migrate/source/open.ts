import { availableParallelism } from 'node:os'
import { createS3Secret } from '../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../platform/duckdb/session.ts'
import type { S3Endpoint } from '../../platform/endpoints.ts'
import { type Location, storageAt, uriOfLocation } from './location.ts'
import { openReadableStore } from './readable-store.ts'
import type { DeltaSource } from './source.ts'

/** What is needed to reach tables, whichever they are. */
export interface SourceAccess {
  readonly duckdbExtensions: Readonly<Record<string, string>>
  /** Null where no object store is configured. */
  readonly s3: S3Endpoint | null
  /** For what DuckDB spills. */
  readonly scratchDir: string
  readonly memoryLimitBytes: number
}

/**
 * Opens a Delta table, reading nothing of it yet; disposing of it closes its connections, and its session where that is its
 * own.
 * @param shared a session to read it by: whoever registers files by it again finds their footers in its cache
 */
export async function openSource(
  location: Location,
  access: SourceAccess,
  shared: DuckDbSession | null = null,
): Promise<DeltaSource & AsyncDisposable> {
  const storage = storageAt(location, access.s3)
  const session = shared ?? (await openParquetSession(access, []))
  const store = openReadableStore(storage)
  return {
    uri: uriOfLocation(location).replace(/(?<=.)\/+$/, ''),
    storage,
    store,
    session,
    async [Symbol.asyncDispose]() {
      if (shared === null) await session.close()
      await store[Symbol.asyncDispose]()
    },
  }
}

/**
 * A DuckDB that reads Parquet, locally and on S3, and what other extensions read. One for each use of an extension that isn't
 * DuckDB's own: an internal error of it leaves a DuckDB that answers nothing more.
 */
export async function openParquetSession(
  access: SourceAccess,
  extensions: readonly string[],
): Promise<DuckDbSession> {
  const { s3 } = access
  const session = await DuckDbSession.open({
    extensionPaths: access.duckdbExtensions,
    extensions: [...(s3 === null ? [] : ['httpfs']), ...extensions],
    settings: {
      threads: availableParallelism(),
      memory_limit: `${access.memoryLimitBytes}B`,
      temp_directory: access.scratchDir,
      TimeZone: 'UTC',
    },
    secrets: s3 === null ? [] : [s3.secretAccessKey, s3.sessionToken ?? ''],
  })
  if (s3 !== null) await createS3Secret(session, s3)
  return session
}
