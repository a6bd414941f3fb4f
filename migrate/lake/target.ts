import { resolve } from 'node:path'
import { LakeduelError } from '../../platform/errors.ts'
import type { PostgresAccess } from '../../platform/services/postgres/client.ts'

/** Where a DuckLake catalog is. */
export type CatalogLocation =
  | { readonly kind: 'postgres'; readonly access: PostgresAccess; readonly schema: string }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'duckdb'; readonly path: string }

export interface TargetDefaults {
  /** What a DSN of Postgres leaves out. */
  readonly postgres: PostgresAccess | null
  /** Of the catalog's own tables in Postgres. */
  readonly metadataSchema: string
}

const REMEDY =
  "Give ducklake:postgres:dbname=… host=…, ducklake:sqlite:FILE or ducklake:FILE, as DuckDB's ATTACH takes it."

/**
 * Reads a DSN of DuckLake: `ducklake:postgres:KEY=VALUE …` (or a `postgresql://` URL), `ducklake:sqlite:FILE`, or
 * `ducklake:FILE` for a catalog in a DuckDB file. What a DSN of Postgres leaves out comes from the configuration, so
 * passwords need not stand in it.
 * @throws LakeduelError `USAGE`; the DSN, which may hold a password, is never told
 */
export function parseTarget(dsn: string, defaults: TargetDefaults): CatalogLocation {
  const rest = dsn.replace(/^ducklake:/, '')
  if (/^postgres(ql)?:\/\//.test(rest)) return ofUrl(rest, defaults)
  if (/^postgres(ql)?:/.test(rest)) return ofPostgres(rest.replace(/^postgres(ql)?:/, ''), defaults)
  if (rest.startsWith('sqlite:')) return { kind: 'sqlite', path: resolve(rest.slice('sqlite:'.length)) }
  if (!dsn.startsWith('ducklake:') || rest === '' || /^[a-z]+:/i.test(rest.replace(/^duckdb:/, ''))) {
    throw new LakeduelError('USAGE', '--to is no DSN of a DuckLake catalog.', { remedy: REMEDY })
  }
  return { kind: 'duckdb', path: resolve(rest.replace(/^duckdb:/, '')) }
}

function ofPostgres(text: string, defaults: TargetDefaults): CatalogLocation {
  return /^postgres(ql)?:\/\//.test(text) ? ofUrl(text, defaults) : ofPairs(text, defaults)
}

function ofUrl(text: string, { postgres, metadataSchema }: TargetDefaults): CatalogLocation {
  if (!URL.canParse(text))
    throw new LakeduelError('USAGE', '--to has a URL that is none.', { remedy: REMEDY })
  const url = new URL(text)
  const given = {
    host: url.hostname,
    port: url.port,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    dbname: decodeURIComponent(url.pathname.slice(1)),
    sslmode: url.searchParams.get('sslmode') ?? '',
  }
  return { kind: 'postgres', access: accessOf(given, postgres), schema: metadataSchema }
}

/** `key=value` and `key='a value'`, as libpq has them. */
const PAIR = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))\s*/y

function ofPairs(text: string, { postgres, metadataSchema }: TargetDefaults): CatalogLocation {
  const given: Record<string, string> = {}
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < text.length) {
    const [, key, quoted, plain] = PAIR.exec(text) ?? []
    if (key === undefined) {
      throw new LakeduelError('USAGE', '--to has a DSN of Postgres that is no list of key=value.', {
        remedy: REMEDY,
      })
    }
    given[key] = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? ''
  }
  return { kind: 'postgres', access: accessOf(given, postgres), schema: metadataSchema }
}

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'host',
  'hostaddr',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
])

function accessOf(given: Readonly<Record<string, string>>, defaults: PostgresAccess | null): PostgresAccess {
  const unknown = Object.keys(given).find((key) => !KNOWN_KEYS.has(key))
  if (unknown !== undefined) {
    throw new LakeduelError('USAGE', `--to has the key ${unknown}, which lakeduel doesn't pass on.`, {
      remedy: `It knows ${[...KNOWN_KEYS].join(', ')}; the schema of the catalog goes with --metadata-schema.`,
    })
  }
  const host = given.host || given.hostaddr || defaults?.host
  if (host === undefined) {
    throw new LakeduelError('USAGE', '--to names no host of Postgres, and none is configured.', {
      remedy: REMEDY,
    })
  }
  // A server that isn't the configured one has nothing of its user and password.
  const rest = given.host ? null : defaults
  const user = given.user || rest?.user || 'postgres'
  const sslmode = sslmodeOf(given.sslmode) ?? rest?.sslmode
  return {
    host,
    port: Number(given.port || rest?.port || 5432),
    user,
    password: given.password || rest?.password || process.env.PGPASSWORD || '',
    database: given.dbname || rest?.database || user,
    ...(sslmode === undefined ? {} : { sslmode }),
  }
}

function sslmodeOf(text: string | undefined): PostgresAccess['sslmode'] {
  if (text === undefined || text === '' || text === 'prefer' || text === 'allow') return undefined
  if (text === 'disable' || text === 'require' || text === 'verify-full') return text
  throw new LakeduelError('USAGE', `--to asks for sslmode=${text}.`, {
    remedy: "Use 'disable', 'require' or 'verify-full'.",
  })
}

/** What a person may be told of a catalog: where it is, and no password. */
export function describeTarget(location: CatalogLocation): string {
  if (location.kind === 'postgres') {
    const { access, schema } = location
    return `Postgres ${access.host}:${access.port}/${access.database}, schema ${schema}`
  }
  return `${location.kind === 'sqlite' ? 'SQLite' : 'DuckDB'} file ${location.path}`
}
