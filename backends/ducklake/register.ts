import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { ResultColumn } from '../../platform/duckdb/session.ts'
import { escapedGlob, literal, literalList } from '../../platform/duckdb/sql.ts'
import { uriOf } from '../../platform/endpoints.ts'
import { copyFiles, deleteFiles, isReachable } from '../../platform/storage/files.ts'
import type { StagedPart } from '../backend.ts'
import type { StagedRows } from '../duckdb/staged.ts'
import type { ColumnSpec, TableSpec } from '../schema.ts'
import type { AttachedLake } from './catalog.ts'
import { DATA_FOLDER, LAKE, metadataOf, tableName } from './catalog.ts'
import type { DuckLakeSettings } from './settings.ts'

/** What Parquet's pages add to the payload of their rows, at most: lengths and levels. */
const ENCODING_OVERHEAD = 1.5

/** The kinds whose range in a footer DuckLake prunes by, and later merges with it. Of text, only keys are asked for. */
const RANGED_KINDS: ReadonlySet<string> = new Set([
  'int8',
  'int16',
  'int32',
  'int64',
  'decimal',
  'date',
  'timestamp',
  'timestamptz',
])
const FLOAT_KINDS: ReadonlySet<string> = new Set(['float32', 'float64'])

export interface RegisteredFiles {
  readonly rows: number
  /** Nobody knows of them if the transaction fails. */
  readonly uris: readonly string[]
}

/**
 * Takes the parts of an append as they are: they are copied beside the table's own files, by the object store itself, and
 * DuckLake adds them to the catalog in the open transaction. Null where a part isn't what DuckLake would have written:
 * other columns or types, NULL where there must be none, row groups without a bound, or no ranges to prune by.
 */
export async function registerParts(
  lake: AttachedLake,
  settings: DuckLakeSettings,
  spec: TableSpec,
  { parts }: StagedRows,
): Promise<RegisteredFiles | null> {
  if (!settings.registerParts || spec.partitionBy !== null) return null
  if (!parts.every(({ uri }) => isReachable(lake.storage, uri))) return null
  if (!(await haveColumnsOf(lake, spec, parts))) return null
  const rows = await rowsOfSoundParts(lake, settings, spec, parts)
  const folder = await dataFolder(lake, spec.name)
  if (rows === null || folder === null) return null
  const copies = parts.map(({ uri }) => ({
    from: uri,
    to: uriOf(lake.storage, `${folder}lakeduel-${randomUUID()}.parquet`),
  }))
  await addFiles(lake, spec.name, copies)
  return { rows, uris: copies.map(({ to }) => to) }
}

async function haveColumnsOf(
  { session }: AttachedLake,
  spec: TableSpec,
  parts: readonly StagedPart[],
): Promise<boolean> {
  const wanted = described(await session.columnsOf(`SELECT * FROM ${tableName(spec.name)}`))
  for (const { uri } of parts) {
    const columns = await session.columnsOf(
      `SELECT * FROM read_parquet(${literal(uri)}, hive_partitioning = false)`,
    )
    if (described(columns) !== wanted) return false
  }
  return true
}

function described(columns: readonly ResultColumn[]): string {
  return columns
    .map(({ name, type }) => JSON.stringify([name, type.toString()]))
    .toSorted()
    .join()
}

const columnFactsSchema = z.object({
  name: z.string(),
  has_no_null: z.boolean(),
  /** In every row group, unless all of its values are NULL. */
  has_range: z.boolean(),
  has_any_range: z.boolean(),
  by_duckdb: z.boolean(),
  rows: z.bigint(),
  /** Of the row groups with more than one row. */
  row_group_bytes: z.bigint(),
})
type ColumnFacts = z.infer<typeof columnFactsSchema>

/** The rows of the parts, if their footers vouch for all of it; else null. */
async function rowsOfSoundParts(
  { session }: AttachedLake,
  { rowGroupBytes }: DuckLakeSettings,
  spec: TableSpec,
  parts: readonly StagedPart[],
): Promise<number | null> {
  const uris = literalList(parts.map(({ uri }) => uri))
  const leaves = await session.query(
    columnFactsSchema,
    `WITH chunk AS MATERIALIZED (
       SELECT *, coalesce(stats_min_value, stats_min) IS NOT NULL AND coalesce(stats_max_value, stats_max) IS NOT NULL AS has_range
       FROM parquet_metadata(${uris})
     ), row_group AS (
       SELECT any_value(row_group_num_rows) AS rows, sum(total_uncompressed_size)::BIGINT AS bytes FROM chunk GROUP BY file_name, row_group_id
     )
     SELECT path_in_schema AS name, bool_and(coalesce(stats_null_count = 0, false)) AS has_no_null,
       bool_and(has_range OR coalesce(stats_null_count = num_values, false)) AS has_range, bool_or(has_range) AS has_any_range,
       (SELECT bool_and(starts_with(created_by, 'DuckDB')) FROM parquet_file_metadata(${uris})) AS by_duckdb,
       (SELECT sum(rows)::BIGINT FROM row_group) AS rows,
       (SELECT coalesce(max(bytes), 0) FROM row_group WHERE rows > 1) AS row_group_bytes
     FROM chunk GROUP BY path_in_schema`,
  )
  const byName = new Map(leaves.map((leaf) => [leaf.name, leaf]))
  const [any] = leaves
  const sound = spec.columns.every((column) => isSound(column, byName.get(column.name), spec.primaryKey))
  if (any === undefined || !sound || Number(any.row_group_bytes) > rowGroupBytes * ENCODING_OVERHEAD)
    return null
  return Number(any.rows)
}

/** Of a list or a struct the footer tells leaves alone, so there only what may be NULL is sound. */
function isSound(
  { name, type, nullable }: ColumnSpec,
  leaf: ColumnFacts | undefined,
  primaryKey: readonly string[],
): boolean {
  if (leaf === undefined) return nullable && (type.kind === 'list' || type.kind === 'struct')
  if (!nullable && !leaf.has_no_null) return false
  // Other writers leave NaN out of a range, and DuckDB skips the file that holds it.
  if (FLOAT_KINDS.has(type.kind)) return leaf.by_duckdb || !leaf.has_any_range
  return leaf.has_range || !(RANGED_KINDS.has(type.kind) || primaryKey.includes(name))
}

/** The table's folder below the storage's root; it has the name that the table was made with. Null for a path of somebody else's. */
export async function dataFolder(lake: AttachedLake, name: string): Promise<string | null> {
  const metadata = metadataOf(lake)
  const rows = await lake.session.query(
    z.object({ folder: z.string().nullable() }),
    `SELECT CASE WHEN lake_schema.path_is_relative AND lake_table.path_is_relative THEN lake_schema.path || lake_table.path END AS folder
     FROM ${metadata}.ducklake_table AS lake_table
     JOIN ${metadata}.ducklake_schema AS lake_schema ON lake_schema.schema_id = lake_table.schema_id AND lake_schema.end_snapshot IS NULL
     WHERE lake_table.table_name = $1 AND lake_table.end_snapshot IS NULL AND lake_schema.schema_name = 'main'`,
    [name],
  )
  const folder = rows[0]?.folder ?? null
  return folder === null ? null : `${DATA_FOLDER}${folder}`
}

async function addFiles(
  { session, storage }: AttachedLake,
  table: string,
  copies: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  const uris = copies.map(({ to }) => to)
  try {
    await copyFiles(storage, copies)
    const globs = literalList(uris.map(escapedGlob))
    const found = await session.query(z.object({ file: z.string() }), `SELECT file FROM glob(${globs})`)
    // DuckLake takes a path for a pattern, and doesn't tell what it added.
    if (!isDeepStrictEqual(found.map(({ file }) => file).toSorted(), uris.toSorted())) {
      throw new Error(`the paths ${uris.join(', ')} stand for ${found.map(({ file }) => file).join(', ')}`)
    }
    await session.run(addition(table, uris.map(escapedGlob), { areInHiveFolders: false }))
  } catch (error) {
    await deleteFiles(storage, uris).catch(() => undefined)
    throw error
  }
}

/** The statement that adds files to a table in the open transaction. */
export function addition(
  table: string,
  globs: readonly string[],
  { areInHiveFolders }: { readonly areInHiveFolders: boolean },
): string {
  return `CALL ducklake_add_data_files(${literal(LAKE)}, ${literal(table)}, ${literalList(globs)}, hive_partitioning => ${areInHiveFolders})`
}
