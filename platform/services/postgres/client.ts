import pg from 'pg'
import { redactText } from '../../config/redact.ts'
import { errorCode } from '../../disk.ts'
import type { PostgresEndpoint } from '../../endpoints.ts'
import { LakeduelError, messageOf } from '../../errors.ts'

export type PostgresAccess = Pick<
  PostgresEndpoint,
  'host' | 'port' | 'user' | 'password' | 'database' | 'sslmode'
>

const CONNECT_TIMEOUT_MS = 10_000
const BAD_CREDENTIALS = new Set(['28P01', '28000'])
const NO_SUCH_DATABASE = '3D000'

/** As in libpq, `require` encrypts and `verify-full` also checks the certificate. */
export function connectionSettings(access: PostgresAccess): pg.ClientConfig {
  const { host, port, user, password, database, sslmode = 'disable' } = access
  const ssl = sslmode === 'disable' ? false : { rejectUnauthorized: sslmode === 'verify-full' }
  return { host, port, user, password, database, ssl, connectionTimeoutMillis: CONNECT_TIMEOUT_MS }
}

/** A client that isn't connected yet. */
export function postgresClient(access: PostgresAccess): pg.Client {
  return new pg.Client(connectionSettings(access))
}

/**
 * Runs work on a connection of its own.
 * @throws LakeduelError `POSTGRES_UNREACHABLE`, `POSTGRES_CREDENTIALS` or `CONFIG_INVALID` when it can't connect
 */
export async function withPostgres<T>(
  access: PostgresAccess,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = postgresClient(access)
  // A connection that is lost while idle must not end the process; the next query reports it.
  client.on('error', () => undefined)
  await client.connect().catch((error: unknown) => {
    throw connectError(error, access)
  })
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Why a connection could not be made or kept, with what to do about it. */
export function connectError(error: unknown, { host, port, user, database }: PostgresAccess): LakeduelError {
  const facts = { host, port, user, database }
  const server = `${host}:${port}`
  const told = redactText(messageOf(error) || (errorCode(error) ?? 'no answer'))
  const code = errorCode(error) ?? ''
  if (BAD_CREDENTIALS.has(code) || /password must be a string|no password/i.test(told)) {
    const remedy = 'Check the user and the password (LAKEDUEL_POSTGRES, or PGUSER and PGPASSWORD).'
    return new LakeduelError(
      'POSTGRES_CREDENTIALS',
      `Postgres at ${server} refuses user '${user}': ${told}`,
      { facts, remedy, cause: error },
    )
  }
  if (code === NO_SUCH_DATABASE) {
    const remedy = `Create it, or name another one (LAKEDUEL_POSTGRES or PGDATABASE).`
    return new LakeduelError('CONFIG_INVALID', `Postgres at ${server} has no database '${database}'.`, {
      facts,
      remedy,
      cause: error,
    })
  }
  const remedy =
    'Check LAKEDUEL_POSTGRES (or PGHOST and PGPORT) and that the server runs, or leave them out: then one is started.'
  return new LakeduelError('POSTGRES_UNREACHABLE', `Postgres at ${server} cannot be reached: ${told}`, {
    facts,
    remedy,
    cause: error,
  })
}
