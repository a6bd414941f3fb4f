import { z } from 'zod'
import type { Format } from '../../backends/backend.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { openObjectStore } from '../../platform/storage/object-store.ts'
import type { Place, Surroundings } from '../runner/surroundings.ts'

const sizeSchema = z.tuple([z.object({ bytes: z.coerce.number() })])

/** What a format keeps about a place's tables: DuckLake's catalog in Postgres, with its indexes and inlined rows, or Delta's logs. */
export async function metadataBytes(
  format: Format,
  { postgres }: Surroundings,
  { storage, catalogSchema }: Place,
): Promise<number> {
  if (format === 'delta') {
    await using store = openObjectStore(storage)
    const logs = (await store.list('')).filter(({ key }) => key.includes('_delta_log/'))
    return logs.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  return await withPostgres(postgres, async (client) => {
    const { rows } = await client.query(
      `SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0) AS bytes
       FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = $1 AND relkind = 'r'`,
      [catalogSchema],
    )
    return sizeSchema.parse(rows)[0].bytes
  })
}
