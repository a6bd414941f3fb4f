import { z } from 'zod'
import { type PostgresAccess, withPostgres } from './client.ts'

const namesSchema = z.array(z.object({ nspname: z.string() }))

/** Drops schemas with all that is in them; those that don't exist are ignored. */
export async function dropSchemas(access: PostgresAccess, names: readonly string[]): Promise<void> {
  await withPostgres(access, async (client) => {
    // One statement each: the locks of a single one would be those of all tables together.
    for (const name of names)
      await client.query(`DROP SCHEMA IF EXISTS ${client.escapeIdentifier(name)} CASCADE`)
  })
}

/** Drops the schemas whose names start with the prefix, such as all of one run. Returns their names. */
export async function dropSchemasWithPrefix(
  access: PostgresAccess,
  prefix: string,
): Promise<readonly string[]> {
  if (prefix === '') throw new RangeError('An empty prefix would drop every schema of the database')
  const names = await withPostgres(access, async (client) => {
    const { rows } = await client.query('SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)', [
      prefix,
    ])
    return namesSchema.parse(rows).map(({ nspname }) => nspname)
  })
  await dropSchemas(access, names)
  return names
}
