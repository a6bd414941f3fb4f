import { realpath } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { LAKE } from '../../backends/ducklake/catalog.ts'
import { type DuckLakeSettings, duckDbSettings, settingsFor } from '../../backends/ducklake/settings.ts'
import { createS3Secret, libpqDsn } from '../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier, literal } from '../../platform/duckdb/sql.ts'
import type { Storage } from '../../platform/endpoints.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { parseLocation, storageAt, uriOfLocation } from '../source/location.ts'
import type { SourceAccess } from '../source/open.ts'
import { assertReachable, assertWritable, openError } from './opening.ts'
import type { CatalogLocation } from './target.ts'
import { describeTarget } from './target.ts'

/** A DuckLake catalog that is open as {@link LAKE}, in a session of its own. */
export interface Lake extends AsyncDisposable {
  readonly session: DuckDbSession
  readonly location: CatalogLocation
  /** Where DuckLake writes, with a trailing slash. */
  readonly dataPath: string
  /** The storage whose root that is. */
  readonly storage: Storage
  /** DuckLake's own tables, to be followed by a dot and a name. */
  readonly metadata: string
  readonly settings: DuckLakeSettings
  /** Keeps rows out of the catalog from now on, the migration's own, too: for tables that are too wide to have a place for them there. */
  readonly stopInlining: () => Promise<void>
}

export interface LakeOptions {
  /** Null for the one that the catalog has. */
  readonly dataPath: string | null
  readonly readOnly: boolean
}

/**
 * Rows of a commit that are kept in the catalog and not in a file: those of a migration's own state, which is small.
 * Lake tables have an option of their own against it.
 */
const INLINING_ROWS = 100
const METADATA_VERSION = '1.0'
/** The settings that all lakes share name some of Postgres, so that extension is always there. */
const EXTENSIONS: Readonly<Record<CatalogLocation['kind'], readonly string[]>> = {
  postgres: ['postgres_scanner'],
  sqlite: ['postgres_scanner', 'sqlite_scanner'],
  duckdb: ['postgres_scanner'],
}

/**
 * Opens a catalog, or makes it where there is none and a DATA_PATH is named.
 * @throws LakeduelError `USAGE`, `POSTGRES_…`, `MIGRATION_REFUSED` where it can only be read and is to be written, `ENGINE_FAILED`
 */
export async function openLake(
  location: CatalogLocation,
  access: SourceAccess,
  options: LakeOptions,
): Promise<Lake> {
  await assertReachable(location, options.dataPath !== null)
  if (!options.readOnly) await assertWritable(location)
  const { session, settings } = await openLakeSession(location, access)
  try {
    await attach(session, location, options, INLINING_ROWS).catch((error: unknown) => {
      throw openError(error, location)
    })
    const metadata = `__ducklake_metadata_${LAKE}.${identifier(location.kind === 'postgres' ? location.schema : 'main')}`
    const dataPath = await checkedDataPath(session, metadata, location)
    const storage = storageAt(parseLocation(dataPath), access.s3)
    return {
      session,
      location,
      dataPath,
      storage,
      metadata,
      settings,
      stopInlining: async () => {
        await session.run(`DETACH ${identifier(LAKE)}`)
        await attach(session, location, { ...options, dataPath: null }, 0)
      },
      [Symbol.asyncDispose]: () => session.close(),
    }
  } catch (error) {
    await session.close()
    throw error
  }
}

async function openLakeSession(
  location: CatalogLocation,
  access: SourceAccess,
): Promise<{ readonly session: DuckDbSession; readonly settings: DuckLakeSettings }> {
  const { s3 } = access
  const environment = {
    threads: availableParallelism(),
    memoryBudgetBytes: access.memoryLimitBytes * 2,
    scratchDir: access.scratchDir,
    storage: { kind: s3 === null ? 'local' : 's3' },
  } as const
  // A registration reads the footers that its plan has read.
  const settings = settingsFor(environment, { externalFileCache: true })
  const session = await DuckDbSession.open({
    extensionPaths: access.duckdbExtensions,
    extensions: [...(s3 === null ? [] : ['httpfs']), ...EXTENSIONS[location.kind], 'ducklake'],
    settings: duckDbSettings(settings, environment),
    secrets: [
      ...(s3 === null ? [] : [s3.secretAccessKey, s3.sessionToken ?? '']),
      ...(location.kind === 'postgres' ? [location.access.password] : []),
    ],
  })
  if (s3 !== null) await createS3Secret(session, s3)
  return { session, settings }
}

async function attach(
  session: DuckDbSession,
  location: CatalogLocation,
  { dataPath, readOnly }: LakeOptions,
  inliningRows: number,
): Promise<void> {
  const attachOptions = [
    // Without a path there is nothing to make a new catalog with, and DuckLake would make one beside itself.
    dataPath === null ? 'CREATE_IF_NOT_EXISTS false' : `DATA_PATH ${literal(withSlash(dataPath))}`,
    `DATA_INLINING_ROW_LIMIT ${inliningRows}`,
    ...(location.kind === 'postgres' ? [`METADATA_SCHEMA ${literal(location.schema)}`] : []),
    ...(readOnly ? ['READ_ONLY'] : []),
  ]
  const dsn = await dsnOf(session, location)
  await session.run(
    `ATTACH ${literal(`ducklake:${dsn}`)} AS ${identifier(LAKE)} (${attachOptions.join(', ')})`,
  )
}

/** The password goes the way of a secret, because DuckDB shows the DSN in `duckdb_databases()` and in messages. */
async function dsnOf(session: DuckDbSession, location: CatalogLocation): Promise<string> {
  if (location.kind === 'sqlite') return `sqlite:${location.path}`
  if (location.kind === 'duckdb') return location.path
  const { host, port, user, database, password, sslmode } = location.access
  await session.run(
    `CREATE OR REPLACE SECRET __default_postgres (TYPE postgres, PASSWORD ${literal(password)})`,
  )
  const parameters = { host, port: String(port), user, dbname: database, ...(sslmode ? { sslmode } : {}) }
  return `postgres:${libpqDsn(parameters)}`
}

async function checkedDataPath(
  session: DuckDbSession,
  metadata: string,
  location: CatalogLocation,
): Promise<string> {
  const rows = await session.query(
    z.object({ key: z.string(), value: z.string() }),
    `SELECT key, value FROM ${metadata}.ducklake_metadata WHERE scope IS NULL AND key IN ('version', 'data_path', 'encrypted')`,
  )
  const stored = new Map(rows.map(({ key, value }) => [key, value]))
  if (stored.get('version') !== METADATA_VERSION) {
    throw new LakeduelError(
      'USAGE',
      `The catalog has version ${stored.get('version')}, and DuckLake ${METADATA_VERSION} is needed.`,
      {
        facts: { catalog: describeTarget(location) },
        remedy: 'Migrate the catalog with DuckLake (AUTOMATIC_MIGRATION), or name another one.',
      },
    )
  }
  if (stored.get('encrypted') === 'true') {
    throw new LakeduelError(
      'USAGE',
      'The catalog encrypts its files, and those of a Delta table are not encrypted.',
      {
        facts: { catalog: describeTarget(location) },
        remedy: 'Name a catalog without encryption.',
      },
    )
  }
  return withSlash(stored.get('data_path') ?? '')
}

/**
 * Refuses a DATA_PATH at, above or below the Delta table: DuckLake deletes the Parquet files below it that it doesn't know
 * (`delete_orphaned_files`), and VACUUM those below the table that Delta doesn't know.
 * @throws LakeduelError `USAGE`
 */
export async function assertApart(dataPath: string, tableUri: string): Promise<void> {
  const [lake, table] = [await resolved(dataPath), await resolved(tableUri)]
  if (!lake.startsWith(table) && !table.startsWith(lake)) return
  throw new LakeduelError(
    'USAGE',
    `The DATA_PATH ${dataPath} and the Delta table ${tableUri} lie within one another.`,
    {
      facts: { dataPath, tableUri },
      remedy:
        'Name a catalog whose DATA_PATH lies elsewhere (--data-path for a new one): DuckLake and VACUUM delete files that they do not know below their folders.',
    },
  )
}

/** With a trailing slash, and without links. */
async function resolved(uri: string): Promise<string> {
  const location = parseLocation(uri)
  if (location.kind === 's3') return withSlash(uriOfLocation(location).replace(/\/+$/, ''))
  return withSlash(await realFolder(location.path))
}

async function realFolder(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    return dirname(path) === path
      ? path
      : join(await realFolder(dirname(path)), path.slice(dirname(path).length))
  }
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}
