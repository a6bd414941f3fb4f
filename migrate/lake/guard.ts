import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import type { Lake } from './lake.ts'

/**
 * Keeps DuckLake from ever deleting files of a Delta table.
 *
 * DuckLake deletes a file in two steps: whatever no snapshot needs any more goes to `ducklake_files_scheduled_for_deletion`,
 * and `cleanup_old_files` deletes what is there. A trigger on that table lets the rows of guarded folders fall away, so that
 * DuckLake forgets such files instead, whichever client expires, rewrites, merges or drops. `delete_orphaned_files` looks
 * below DATA_PATH only, and that never holds a Delta table (`assertApart`).
 */

const TABLE = 'lakeduel_guarded_path'
const TRIGGER = 'lakeduel_guard'
const SCHEDULED = 'ducklake_files_scheduled_for_deletion'
const SQLITE_BUSY_MS = 10_000

/** A catalog in a DuckDB file has no triggers. */
export function canGuard({ location }: Pick<Lake, 'location'>): boolean {
  return location.kind !== 'duckdb'
}

/**
 * Guards all files whose paths begin so, from now on; guarding them again changes nothing.
 * @throws LakeduelError `MIGRATION_REFUSED` where the catalog's user may not make a trigger
 */
export async function guard(lake: Lake, pathPrefix: string): Promise<void> {
  try {
    if (lake.location.kind === 'postgres') await guardInPostgres(lake.location, pathPrefix)
    if (lake.location.kind === 'sqlite') await guardInSqlite(lake.location.path, pathPrefix)
  } catch (cause) {
    throw new LakeduelError(
      'MIGRATION_REFUSED',
      `The catalog can't be kept from deleting files of ${pathPrefix}: ${messageOf(cause)}`,
      {
        facts: { pathPrefix },
        remedy:
          'Give the user of the catalog the right to make a table, a function and a trigger in its schema; or use --mode rewrite, or --own.',
        cause,
      },
    )
  }
}

async function guardInPostgres(
  { access, schema }: Extract<Lake['location'], { kind: 'postgres' }>,
  pathPrefix: string,
): Promise<void> {
  await withPostgres(access, async (client) => {
    const inSchema = (name: string) => `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`
    await client.query('BEGIN')
    // Two migrators that make the function at once would fail with "tuple concurrently updated".
    await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [TRIGGER])
    await client.query(`CREATE TABLE IF NOT EXISTS ${inSchema(TABLE)} (path_prefix text PRIMARY KEY)`)
    await client.query(
      `CREATE OR REPLACE FUNCTION ${inSchema(TRIGGER)}() RETURNS trigger LANGUAGE plpgsql AS $guard$
       BEGIN
         IF NOT NEW.path_is_relative AND EXISTS (
           SELECT FROM ${inSchema(TABLE)} AS guarded WHERE starts_with(NEW.path, guarded.path_prefix)
         ) THEN RETURN NULL; END IF;
         RETURN NEW;
       END $guard$`,
    )
    await client.query(`DROP TRIGGER IF EXISTS ${client.escapeIdentifier(TRIGGER)} ON ${inSchema(SCHEDULED)}`)
    await client.query(
      `CREATE TRIGGER ${client.escapeIdentifier(TRIGGER)} BEFORE INSERT ON ${inSchema(SCHEDULED)}
       FOR EACH ROW EXECUTE FUNCTION ${inSchema(TRIGGER)}()`,
    )
    await client.query(`INSERT INTO ${inSchema(TABLE)} VALUES ($1) ON CONFLICT DO NOTHING`, [pathPrefix])
    await client.query('COMMIT')
  })
}

async function guardInSqlite(path: string, pathPrefix: string): Promise<void> {
  // Node tells of it as an experiment when it is loaded, which only those who need it are to read.
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(path, { timeout: SQLITE_BUSY_MS })
  try {
    database.exec(`
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS ${TABLE} (path_prefix TEXT PRIMARY KEY);
      CREATE TRIGGER IF NOT EXISTS ${TRIGGER} BEFORE INSERT ON ${SCHEDULED}
      WHEN NEW.path_is_relative = 0 AND EXISTS (
        SELECT 1 FROM ${TABLE} WHERE substr(NEW.path, 1, length(path_prefix)) = path_prefix
      )
      BEGIN SELECT RAISE(IGNORE); END;
    `)
    database.prepare(`INSERT OR IGNORE INTO ${TABLE} VALUES (?)`).run(pathPrefix)
    database.exec('COMMIT')
  } finally {
    database.close()
  }
}
