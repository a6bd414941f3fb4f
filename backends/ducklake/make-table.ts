import { identifier } from '../../platform/duckdb/sql.ts'
import { duckDbSqlOf } from '../duckdb-sql.ts'
import type { ColumnSpec, TableSpec } from '../schema.ts'
import type { AttachedLake } from './catalog.ts'
import { createTable, tableName } from './catalog.ts'
import { ensureOptions } from './options.ts'
import type { DuckLakeSettings } from './settings.ts'
import { tableOptions } from './settings.ts'

/** A table of Postgres has at most 1,600, and that of inlined rows has some of its own. */
const MOST_INLINED_COLUMNS = 1_500

/**
 * Makes a table, with its options. With every table DuckLake makes one for inlined rows, of the same columns, in Postgres,
 * unless the table's options say that it has no such rows; and they can be set only once it is there. So a wide table
 * is made of some columns, and gets the others afterwards. One that a killed process left in between is evolved by the next.
 * @param alongside what else is to be done in the transaction that makes it
 * @returns the table with its columns in their order
 */
export async function makeTable(
  lake: AttachedLake,
  settings: DuckLakeSettings,
  spec: TableSpec,
  alongside: () => Promise<unknown>,
): Promise<TableSpec> {
  const [first, rest] = divided(spec)
  await lake.session.transaction(async () => {
    await alongside()
    await createTable(lake.session, { ...spec, columns: first })
  })
  await ensureOptions(lake, spec.name, tableOptions(settings))
  if (rest.length > 0) await lake.session.transaction(() => addColumns(lake, spec.name, rest))
  return { ...spec, columns: [...first, ...rest] }
}

/** Columns that a table can be made of in Postgres, and those that may be added to it. */
function divided({
  columns,
  partitionBy,
}: TableSpec): readonly [readonly ColumnSpec[], readonly ColumnSpec[]] {
  if (columns.length <= MOST_INLINED_COLUMNS) return [columns, []]
  const isNeeded = ({ name, nullable }: ColumnSpec) => !nullable || name === partitionBy
  const optional = columns.filter((column) => !isNeeded(column))
  const later = new Set(
    optional.slice(Math.max(0, MOST_INLINED_COLUMNS - (columns.length - optional.length))),
  )
  return [columns.filter((column) => !later.has(column)), [...later]]
}

/** In the open transaction. */
export async function addColumns(
  { session }: AttachedLake,
  table: string,
  added: readonly ColumnSpec[],
): Promise<void> {
  for (const { name, type } of added) {
    await session.run(`ALTER TABLE ${tableName(table)} ADD COLUMN ${identifier(name)} ${duckDbSqlOf(type)}`)
  }
}
