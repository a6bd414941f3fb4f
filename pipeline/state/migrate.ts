import type pg from 'pg'
import { z } from 'zod'
import { errorCode } from '../../platform/disk.ts'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { installQueues } from '../queue/boss.ts'
import { statementsOf } from './database.ts'
import { STEPS } from './tables.ts'

const versionSchema = z.object({ version: z.int().nullable() })

const INSUFFICIENT_PRIVILEGE = '42501'

export interface StateSchemas {
  readonly schema: string
  readonly queueSchema: string
}

/**
 * Brings the tables and queues to this program's version, once for all processes that start at the same time.
 * @throws LakeduelError `STATE_TOO_NEW` when a newer program has been there, `POSTGRES_UNREACHABLE`, `POSTGRES_CREDENTIALS`
 */
export async function migrate(endpoint: PostgresEndpoint, schemas: StateSchemas): Promise<void> {
  await withPostgres(endpoint, async (client) => {
    if ((await versionOf(client, schemas.schema)) === STEPS.length) return
    // Held until the connection ends, so that a killed process lets go of it.
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`lakeduel ${schemas.schema}`])
    const version = await versionOf(client, schemas.schema)
    if (version > STEPS.length) throw tooNew(schemas.schema, version)
    await createSchema(client, endpoint, schemas.schema)
    await client.query(`SET search_path = ${schemas.schema}`)
    await client.query('CREATE TABLE IF NOT EXISTS migrations (version int PRIMARY KEY, at timestamptz)')
    await installQueues(statementsOf(client).boss, schemas.queueSchema)
    for (const [index, step] of STEPS.entries()) {
      if (index >= version) await applyStep(client, step, index + 1)
    }
  })
}

async function createSchema(client: pg.Client, endpoint: PostgresEndpoint, schema: string): Promise<void> {
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  } catch (error) {
    if (errorCode(error) !== INSUFFICIENT_PRIVILEGE) throw error
    const { user, database } = endpoint
    throw new LakeduelError(
      'POSTGRES_CREDENTIALS',
      `User '${user}' may not create schemas in '${database}'.`,
      {
        facts: { user, database, schema },
        remedy: `Let it: GRANT CREATE ON DATABASE ${database} TO ${user}.`,
        cause: error,
      },
    )
  }
}

async function applyStep(client: pg.Client, step: string, version: number): Promise<void> {
  await client.query('BEGIN')
  await client.query(step)
  await client.query('INSERT INTO migrations VALUES ($1, clock_timestamp())', [version])
  await client.query('COMMIT')
}

/** 0 where nothing is installed yet. */
async function versionOf(client: pg.Client, schema: string): Promise<number> {
  const exists = await client.query('SELECT to_regclass($1) IS NOT NULL AS exists', [`${schema}.migrations`])
  if (!z.tuple([z.object({ exists: z.boolean() })]).parse(exists.rows)[0].exists) return 0
  const { rows } = await client.query(`SELECT max(version) AS version FROM ${schema}.migrations`)
  return z.tuple([versionSchema]).parse(rows)[0].version ?? 0
}

function tooNew(schema: string, version: number): LakeduelError {
  return new LakeduelError(
    'STATE_TOO_NEW',
    `The state in schema ${schema} has version ${version}, and this program knows versions up to ${STEPS.length}.`,
    {
      facts: { schema, version, known: STEPS.length },
      remedy: 'Use the newer lakeduel that wrote it, or name another schema.',
    },
  )
}
