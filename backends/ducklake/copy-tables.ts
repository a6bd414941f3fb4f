import type { Client } from 'pg'
import { uriOf } from '../../platform/endpoints.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { copyTree } from '../../platform/storage/tree.ts'
import type { BackendEnvironment } from '../backend.ts'
import { DATA_FOLDER } from './catalog.ts'

/**
 * Copies the catalog and the files of all tables. The catalog holds paths relative to its `data_path`, so that value is
 * all that differs. No table may be open.
 */
export async function copyTables(from: BackendEnvironment, to: BackendEnvironment): Promise<void> {
  await copyTree(from.storage, to.storage)
  await withPostgres(to.catalog.postgres, async (client) => {
    await client.query('BEGIN')
    await copySchema(client, from.catalog.schema, to.catalog.schema)
    const schema = client.escapeIdentifier(to.catalog.schema)
    const moved = await client.query(
      `UPDATE ${schema}.ducklake_metadata SET value = $1 WHERE key = 'data_path'`,
      [uriOf(to.storage, DATA_FOLDER)],
    )
    if (moved.rowCount !== 1)
      throw new Error(`the catalog ${from.catalog.schema} has ${moved.rowCount} data paths`)
    await client.query('COMMIT')
  })
}

async function copySchema(client: Client, from: string, to: string): Promise<void> {
  const tables = await client.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 ORDER BY 1',
    [from],
  )
  await client.query(`CREATE SCHEMA ${client.escapeIdentifier(to)}`)
  for (const { name } of tables.rows) {
    const source = `${client.escapeIdentifier(from)}.${client.escapeIdentifier(name)}`
    const target = `${client.escapeIdentifier(to)}.${client.escapeIdentifier(name)}`
    await client.query(`CREATE TABLE ${target} (LIKE ${source} INCLUDING ALL)`)
    await client.query(`INSERT INTO ${target} SELECT * FROM ${source}`)
  }
}
