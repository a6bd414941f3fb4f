import { randomBytes } from 'node:crypto'
import { errorCode } from '../../platform/disk.ts'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { probePostgres } from '../../platform/services/postgres/probe.ts'

const INSUFFICIENT_PRIVILEGE = '42501'

/**
 * Gives work a database of its own, where no statement of another run is counted, and drops it afterwards; the given one
 * where the user may not make any.
 */
export async function withOwnDatabase<T>(
  postgres: PostgresEndpoint,
  work: (postgres: PostgresEndpoint) => Promise<T>,
): Promise<T> {
  const database = `lakeduel_self_test_${randomBytes(4).toString('hex')}`
  if (!(await create(postgres, database))) return work(postgres)
  try {
    return await work(await probePostgres({ ...postgres, database }))
  } finally {
    await withPostgres(postgres, (client) => client.query(`DROP DATABASE ${database} WITH (FORCE)`))
  }
}

async function create(postgres: PostgresEndpoint, database: string): Promise<boolean> {
  return withPostgres(postgres, (client) =>
    client.query(`CREATE DATABASE ${database}`).then(
      () => true,
      (error: unknown) => {
        if (errorCode(error) === INSUFFICIENT_PRIVILEGE) return false
        throw error
      },
    ),
  )
}
