import pRetry from 'p-retry'
import { z } from 'zod'
import { literal } from '../../platform/duckdb/sql.ts'
import type { AttachedLake } from './catalog.ts'
import { LAKE, metadataOf } from './catalog.ts'

export const TRIES = { retries: 10, minTimeout: 10, maxTimeout: 200, randomize: true }

/**
 * Makes a table's options known to the session, and gives the table those that it doesn't have yet.
 *
 * A session knows the options that it has set itself and those that were there when it attached the catalog. To a table
 * that was made since by another process it would write without a bound, and small batches into Postgres: so it sets them
 * once more, as they are stored. And DuckLake refuses options on a table whose transaction is still open, so a process
 * that died in between leaves a table without them, which the next one to open it completes.
 */
export async function ensureOptions(
  lake: AttachedLake,
  name: string,
  options: Readonly<Record<string, string>>,
): Promise<void> {
  // Two sessions that set an option of one table at once update one row of the catalog, and one of them fails.
  await pRetry(() => setOptions(lake, name, options), TRIES)
}

async function setOptions(
  lake: AttachedLake,
  name: string,
  options: Readonly<Record<string, string>>,
): Promise<void> {
  const metadata = metadataOf(lake)
  const rows = await lake.session.query(
    z.object({ table_id: z.bigint(), key: z.string().nullable(), value: z.string().nullable() }),
    `SELECT lake_table.table_id, stored.key, stored.value
     FROM ${metadata}.ducklake_table AS lake_table
     LEFT JOIN ${metadata}.ducklake_metadata AS stored ON stored.scope = 'table' AND stored.scope_id = lake_table.table_id
     WHERE lake_table.table_name = $1 AND lake_table.end_snapshot IS NULL`,
    [name],
  )
  const [first] = rows
  if (first === undefined || lake.tablesWithOptions.has(first.table_id)) return
  const stored = new Map(rows.map(({ key, value }) => [key, value]))
  for (const [option, value] of Object.entries(options)) {
    await lake.session.run(setOption(name, option, asGiven(option, stored.get(option) ?? value)))
  }
  lake.tablesWithOptions.add(first.table_id)
}

export function setOption(table: string, option: string, value: string): string {
  return `CALL ${LAKE}.set_option(${literal(option)}, ${literal(value)}, table_name => ${literal(table)})`
}

/** DuckLake stores a size as its bytes alone, and takes it with a unit only. */
function asGiven(option: string, value: string): string {
  return option.endsWith('_bytes') && /^\d+$/.test(value) ? `${value}B` : value
}
