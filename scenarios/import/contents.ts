import { z } from 'zod'
import { type Arm, type BackendEnvironment, formatOf } from '../../backends/backend.ts'
import { openReader, relationOf } from '../../backends/reader.ts'

const contentsSchema = z.object({ rows: z.string(), keys: z.string(), hash: z.string() })
/** What a lake table holds; numbers as text, since a hash has 128 bits. */
export type Contents = Readonly<z.infer<typeof contentsSchema>>

/** Reads a whole table with the key `id` freshly: rows, distinct keys, and a hash that doesn't depend on their order. */
export async function contentsOf(
  arm: Arm,
  environment: BackendEnvironment,
  table: string,
): Promise<Contents> {
  await using session = await openReader(formatOf(arm), environment)
  const relation = relationOf(formatOf(arm), environment, table)
  const [contents] = await session.query(
    contentsSchema,
    `SELECT count(*)::VARCHAR AS rows, count(DISTINCT lake_row.id)::VARCHAR AS keys,
       coalesce(sum(hash(CAST(lake_row AS VARCHAR))::HUGEINT), 0)::VARCHAR AS hash FROM ${relation} AS lake_row`,
  )
  if (contents === undefined) throw new Error('an aggregate without a row')
  return contents
}
