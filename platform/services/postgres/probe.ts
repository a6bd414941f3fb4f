import type { Client } from 'pg'
import { z } from 'zod'
import type { PostgresEndpoint } from '../../endpoints.ts'
import { LakeduelError } from '../../errors.ts'
import type { PostgresServer } from '../server-schemas.ts'
import { withPostgres } from './client.ts'

const factsSchema = z.tuple([z.object({ version: z.string(), may_create: z.boolean() })])

/**
 * Checks that schemas can be made, and finds out whether statements can be counted.
 * @throws LakeduelError `POSTGRES_…`, or `POSTGRES_CREDENTIALS` where the user may not create schemas
 */
export async function probePostgres(server: PostgresServer): Promise<PostgresEndpoint> {
  return withPostgres(server, async (client) => {
    const { rows } = await client.query(
      `SELECT current_setting('server_version') AS version,
              has_database_privilege(current_database(), 'CREATE') AS may_create`,
    )
    const [{ version, may_create: mayCreate }] = factsSchema.parse(rows)
    if (!mayCreate) throw mayNotCreate(server)
    return { ...server, version, statStatements: await countsStatements(client) }
  })
}

/** The extension needs a preloaded library and, to be created, rights that a given user may lack. */
async function countsStatements(client: Client): Promise<boolean> {
  try {
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
    await client.query('SELECT calls FROM pg_stat_statements LIMIT 1')
    return true
  } catch {
    return false
  }
}

function mayNotCreate({ host, port, user, database }: PostgresServer): LakeduelError {
  return new LakeduelError(
    'POSTGRES_CREDENTIALS',
    `User '${user}' may not create schemas in database '${database}' at ${host}:${port}.`,
    {
      facts: { host, port, user, database },
      remedy: `Run as its owner: GRANT CREATE ON DATABASE "${database}" TO "${user}".`,
    },
  )
}
