import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { translateError } from '../../backends/duckdb/errors.ts'
import { errorCode } from '../../platform/disk.ts'
import { type ErrorCode, LakeduelError, messageOf } from '../../platform/errors.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { type CatalogLocation, describeTarget } from './target.ts'

/**
 * Looks for the server, or the file, of a catalog before DuckDB does, which makes a file where there is none.
 * @param mayMake whether there need be none yet
 * @throws LakeduelError `USAGE`, `POSTGRES_…`, `CONFIG_INVALID`
 */
export async function assertReachable(location: CatalogLocation, mayMake: boolean): Promise<void> {
  if (location.kind === 'postgres') return reachPostgres(location.access)
  const found = await stat(location.path).catch(() => null)
  if (found?.isFile()) return
  if (found !== null) throw usage(location, 'There is no file')
  if (!mayMake) throw noCatalog(location)
  const folder = await stat(dirname(location.path)).catch(() => null)
  if (!folder?.isDirectory()) throw usage(location, 'There is no folder for a catalog')
}

async function reachPostgres(
  target: Extract<CatalogLocation, { kind: 'postgres' }>['access'],
): Promise<void> {
  try {
    await withPostgres(target, () => Promise.resolve())
  } catch (cause) {
    if (!(cause instanceof LakeduelError)) throw cause
    const { code, message, facts } = cause
    const remedy =
      'Check host, port, user, password and dbname of --to, or those of the configured Postgres, which stand in for what it leaves out.'
    throw new LakeduelError(code, message, { facts, remedy, cause })
  }
}

/**
 * Refuses a catalog that can only be read, before anything is begun in it.
 * @throws LakeduelError `MIGRATION_REFUSED`
 */
export async function assertWritable(location: CatalogLocation): Promise<void> {
  const why = location.kind === 'postgres' ? await whyNotInPostgres(location) : await whyNotInFile(location)
  if (why === null) return
  throw new LakeduelError(
    'MIGRATION_REFUSED',
    `The catalog (${describeTarget(location)}) can only be read: ${why}.`,
    {
      facts: { catalog: describeTarget(location) },
      remedy: 'Use a user or a file that may be written to; nothing was changed.',
    },
  )
}

function whyNotInPostgres({
  access: target,
  schema,
}: Extract<CatalogLocation, { kind: 'postgres' }>): Promise<string | null> {
  return withPostgres(target, async (client) => {
    const { rows } = await client.query(
      `SELECT current_setting('transaction_read_only') = 'on' AS read_only,
         (SELECT has_table_privilege(c.oid, 'INSERT') FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = 'ducklake_snapshot') AS may_insert`,
      [schema],
    )
    const [found] = z
      .array(z.object({ read_only: z.boolean(), may_insert: z.boolean().nullable() }))
      .parse(rows)
    if (found?.read_only) return 'the server, or the user, is set to read-only transactions'
    return found?.may_insert === false ? `user '${target.user}' has no right to insert into its tables` : null
  })
}

function whyNotInFile({ path }: Exclude<CatalogLocation, { kind: 'postgres' }>): Promise<string | null> {
  return access(path, constants.W_OK).then(
    () => null,
    (error: unknown) => (errorCode(error) === 'ENOENT' ? null : messageOf(error)),
  )
}

interface Explanation {
  readonly pattern: RegExp
  readonly code: ErrorCode
  /** @param found what the pattern's groups matched */
  readonly problem: (found: readonly string[]) => string
  readonly remedy: string
}

const NEW_CATALOG = 'Check --to and --metadata-schema; with --data-path a new catalog is made.'

/** What DuckDB says, which has no codes. */
const EXPLANATIONS: readonly Explanation[] = [
  {
    pattern: /DATA_PATH parameter "(.*)" does not match existing data path in the catalog "(.*)"/,
    code: 'USAGE',
    problem: ([given, own]) => `has the DATA_PATH ${own}, and not ${given}`,
    remedy: 'Leave --data-path out: it is for a new catalog.',
  },
  {
    pattern: /not a valid DuckDB database|file is not a database/,
    code: 'USAGE',
    problem: () => 'is no database of that kind',
    remedy: 'Write ducklake:sqlite:FILE for SQLite and ducklake:FILE for DuckDB.',
  },
  {
    pattern: /Could not set lock on file|database is locked|duplicate key value|already exists/,
    code: 'COMMIT_CONFLICT',
    problem: () => 'is held, or being made, by another process',
    remedy: 'Let it end and run this again; a catalog in Postgres takes many clients at once.',
  },
  {
    pattern: /(permission denied .*|read-only transaction)/,
    code: 'MIGRATION_REFUSED',
    problem: ([what]) => `can't be made or written: ${what}`,
    remedy: 'Give its user the right to make a schema and tables there.',
  },
]

/** Why a catalog that is reached could not be opened. */
export function openError(error: unknown, location: CatalogLocation): LakeduelError {
  const message = messageOf(error)
  if (/creating a new DuckLake is explicitly disabled/.test(message)) return noCatalog(location)
  const facts = { catalog: describeTarget(location) }
  for (const { pattern, code, problem, remedy } of EXPLANATIONS) {
    const found = pattern.exec(message)
    if (found === null) continue
    const text = `The catalog (${describeTarget(location)}) ${problem(found.slice(1))}.`
    return new LakeduelError(code, text, { facts, remedy, cause: error })
  }
  return translateError(error, `opening the catalog (${describeTarget(location)})`, facts)
}

function noCatalog(location: CatalogLocation): LakeduelError {
  return usage(location, 'There is no DuckLake catalog')
}

function usage(location: CatalogLocation, problem: string): LakeduelError {
  return new LakeduelError('USAGE', `${problem} (${describeTarget(location)}).`, {
    facts: { catalog: describeTarget(location) },
    remedy: NEW_CATALOG,
  })
}
