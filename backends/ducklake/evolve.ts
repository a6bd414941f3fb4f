import { isDeepStrictEqual } from 'node:util'
import { identifier } from '../../platform/duckdb/sql.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { duckDbSqlOf } from '../duckdb-sql.ts'
import type { Evolution } from '../evolution.ts'
import { planEvolution } from '../evolution.ts'
import type { ColumnSpec, TableSpec } from '../schema.ts'
import type { AttachedLake } from './catalog.ts'
import { liveRows, storedColumns, tableFiles, tableName } from './catalog.ts'
import { addColumns, makeTable } from './make-table.ts'
import { CommitMarker } from './marker.ts'
import { fitToLoad } from './memory.ts'
import type { DuckLakeSettings } from './settings.ts'
import { columnList } from './strategy.ts'
import { takePlace } from './swap.ts'

/** Payload bytes in a stored byte, at most, where only an estimate is needed; JSON text has 4 to 8. */
const STORED_COMPRESSION = 8

/**
 * Adds and widens columns in one commit.
 *
 * Widening writes the table anew, although DuckLake can change a type in its catalog alone: its sessions keep a column's
 * minimum and maximum in the old type until another file is written, and merge them wrongly into the catalog then, so
 * that filters lose rows (duckdb/ducklake#1397, fixed after the build of DuckDB 1.5.5). And FLOAT's bounds mean something
 * else as DOUBLE (duckdb/ducklake#1307).
 */
export async function evolveTable(
  lake: AttachedLake,
  settings: DuckLakeSettings,
  spec: TableSpec,
  incoming: readonly ColumnSpec[],
): Promise<Evolution> {
  const stored = await storedColumns(lake.session, spec.name)
  const plan = planEvolution(spec.name, stored ?? [], incoming)
  if (plan.added.length + plan.widened.length === 0) return plan
  const rewritten = { ...spec, name: rewriteName(spec.name), columns: plan.columns }
  if (plan.widened.length > 0) await makeEmpty(lake, settings, rewritten)
  await lake.session.transaction(async () => {
    const now = await storedColumns(lake.session, spec.name)
    if (!isDeepStrictEqual(now, stored)) throw evolvedMeanwhile(spec.name)
    if (plan.widened.length > 0) await rewrite(lake, settings, spec.name, rewritten, stored ?? [])
    else await addColumns(lake, spec.name, plan.added)
  })
  return plan
}

/** The table that a widening writes to; only a process that was killed leaves one. */
export function rewriteName(table: string): string {
  return `__lakeduel_widened_${table}`
}

/** In a transaction of its own, since DuckLake takes a table's options only when it is committed. */
async function makeEmpty(lake: AttachedLake, settings: DuckLakeSettings, spec: TableSpec): Promise<void> {
  const drop = () => lake.session.run(`DROP TABLE IF EXISTS ${tableName(spec.name)}`)
  await makeTable(lake, settings, spec, drop)
}

/** Moves the marker too, so that a batch that is under way meanwhile conflicts. */
async function rewrite(
  lake: AttachedLake,
  settings: DuckLakeSettings,
  table: string,
  rewritten: TableSpec,
  stored: readonly ColumnSpec[],
): Promise<void> {
  const { session } = lake
  await new CommitMarker(session, table).fence()
  const known = new Set(stored.map(({ name }) => name))
  const values = rewritten.columns.map(({ name, type }) => {
    const value = known.has(name) ? identifier(name) : 'NULL'
    return `CAST(${value} AS ${duckDbSqlOf(type)})`
  })
  const { dataBytes } = await tableFiles(lake, table)
  const payloadBytes = dataBytes * STORED_COMPRESSION
  const rows = await liveRows(session, table)
  await fitToLoad(session, settings, { rows, payloadBytes, columns: rewritten.columns.length })
  await session.run(
    `INSERT INTO ${tableName(rewritten.name)} (${columnList(rewritten)}) SELECT ${values.join(', ')} FROM ${tableName(table)}`,
  )
  await takePlace(session, rewritten.name, table)
}

function evolvedMeanwhile(table: string): LakeduelError {
  return new LakeduelError('COMMIT_CONFLICT', `Another writer has changed the columns of table ${table}.`, {
    facts: { table },
    remedy: 'Evolve the table again.',
  })
}
