import { basename } from 'node:path/posix'
import { z } from 'zod'
import type { BackendEnvironment, Format } from '../../backends/backend.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { type ObjectStore, openObjectStore } from '../../platform/storage/object-store.ts'

/**
 * The data files below an environment's storage that no version of any table has ever named: what broken commits left.
 * Files that a commit replaced are none: they are named, and wait for maintenance. Files are known by their last name,
 * which engines make unique.
 * @returns keys relative to the storage's root, in order
 */
export async function orphanFiles(
  format: Format,
  environment: BackendEnvironment,
): Promise<readonly string[]> {
  await using store = openObjectStore(environment.storage)
  const keys = (await store.list('')).map(({ key }) => key)
  const named = format === 'delta' ? await namedInLogs(store, keys) : await namedInCatalog(environment)
  return keys.filter((key) => isData(key) && !named.has(basename(key)))
}

function isData(key: string): boolean {
  return /\.(parquet|puffin)$/.test(key) && !key.includes('_delta_log/')
}

/** Harness tables keep all of their commits: checkpoints repeat what those say. */
async function namedInLogs(store: ObjectStore, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const named = new Set<string>()
  for (const key of keys.filter((one) => one.includes('_delta_log/') && one.endsWith('.json'))) {
    const text = new TextDecoder().decode((await store.read(key)) ?? new Uint8Array())
    for (const [, path = ''] of text.matchAll(/"path":"([^"]+)"/g)) named.add(basename(path))
  }
  return named
}

const namesSchema = z.array(z.object({ path: z.string() }))

async function namedInCatalog({ catalog }: BackendEnvironment): Promise<ReadonlySet<string>> {
  return await withPostgres(catalog.postgres, async (client) => {
    const of = (table: string) => `SELECT path FROM ${client.escapeIdentifier(catalog.schema)}.${table}`
    const tables = ['ducklake_data_file', 'ducklake_delete_file', 'ducklake_files_scheduled_for_deletion']
    const { rows } = await client.query(tables.map(of).join(' UNION ALL '))
    return new Set(namesSchema.parse(rows).map(({ path }) => basename(path)))
  })
}
