import { z } from 'zod'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier, literal } from '../../platform/duckdb/sql.ts'
import type { Storage } from '../../platform/endpoints.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { TableDescription } from '../backend.ts'
import { lakeTypeOf } from '../duckdb/types.ts'
import { duckDbSqlOf } from '../duckdb-sql.ts'
import type { ColumnSpec, TableSpec } from '../schema.ts'

/** The name under which the session attaches the DuckLake catalog. */
export const LAKE = 'lake'
/** The name under which DuckLake then attaches the catalog's database. */
const METADATA = `__ducklake_metadata_${LAKE}`

/** A session with a DuckLake catalog attached as {@link LAKE}. */
export interface AttachedLake {
  readonly session: DuckDbSession
  /** Beside that session, for what must not be part of its open transaction. */
  readonly aside: DuckDbSession
  readonly storage: Storage
  /** A folder on this machine. */
  readonly scratchDir: string
  /** The Postgres schema of DuckLake's own tables. */
  readonly metadataSchema: string
  /** The ids of the tables whose options the session knows; see `options.ts`. */
  readonly tablesWithOptions: Set<bigint>
}

/** DATA_PATH beneath the storage's root, so that DuckLake's own housekeeping never sees the files of a Delta table there. */
export const DATA_FOLDER = 'ducklake/'

export function tableName(name: string): string {
  return `${LAKE}.main.${identifier(name)}`
}

/** DuckLake's own tables, where a question has no function of DuckLake for it. */
export function metadataOf({ metadataSchema }: AttachedLake): string {
  return `${METADATA}.${identifier(metadataSchema)}`
}

export async function tableExists(session: DuckDbSession, name: string): Promise<boolean> {
  const rows = await session.query(
    z.object({ table_name: z.string() }),
    `SELECT table_name FROM duckdb_tables()
     WHERE database_name = ${literal(LAKE)} AND schema_name = 'main' AND table_name = $1`,
    [name],
  )
  return rows.length > 0
}

/** The stored columns, or null where there is no such table. */
export async function storedColumns(
  session: DuckDbSession,
  name: string,
): Promise<readonly ColumnSpec[] | null> {
  const rows = await session.query(
    z.object({ column_name: z.string(), is_nullable: z.boolean() }),
    `SELECT column_name, is_nullable FROM duckdb_columns()
     WHERE database_name = ${literal(LAKE)} AND schema_name = 'main' AND table_name = $1`,
    [name],
  )
  if (rows.length === 0) return null
  const nullable = new Map(rows.map((row) => [row.column_name, row.is_nullable]))
  const columns = await session.columnsOf(`SELECT * FROM ${tableName(name)}`)
  return columns.map((column) => {
    const type = lakeTypeOf(column.type)
    if (type !== null) return { name: column.name, type, nullable: nullable.get(column.name) ?? true }
    throw new LakeduelError(
      'SCHEMA_MISMATCH',
      `Column "${column.name}" of ${name} is ${column.type.toString()}.`,
      {
        facts: { table: name, column: column.name },
        remedy: 'Store the column as one of the types of backends/schema.ts.',
      },
    )
  })
}

/** Makes a table, in the open transaction. */
export async function createTable(session: DuckDbSession, spec: TableSpec): Promise<void> {
  const target = tableName(spec.name)
  const columns = spec.columns.map(
    ({ name, type, nullable }) => `${identifier(name)} ${duckDbSqlOf(type)}${nullable ? '' : ' NOT NULL'}`,
  )
  await session.run(`CREATE TABLE ${target} (${columns.join(', ')})`)
  if (spec.partitionBy !== null) {
    await session.run(`ALTER TABLE ${target} SET PARTITIONED BY (${identifier(spec.partitionBy)})`)
  }
}

/**
 * Compares what is stored with what is asked for. Further nullable columns may be stored: somebody evolved the table.
 * @throws LakeduelError `SCHEMA_MISMATCH`
 * @returns the specification with the stored columns, in their order
 */
export async function reconcile(
  lake: AttachedLake,
  spec: TableSpec,
  stored: readonly ColumnSpec[],
): Promise<TableSpec> {
  const wanted = new Map(spec.columns.map((column) => [column.name, column]))
  const storedNames = new Set(stored.map(({ name }) => name))
  const partition = await partitionColumn(lake, spec.name)
  const problems = [
    ...spec.columns.filter(({ name }) => !storedNames.has(name)).map(({ name }) => `"${name}" is not stored`),
    ...stored.flatMap((column) => contradictions(column, wanted.get(column.name))),
    ...(partition === spec.partitionBy
      ? []
      : [`it is partitioned by ${partition ?? 'nothing'}, not ${spec.partitionBy ?? 'nothing'}`]),
  ]
  if (problems.length === 0)
    return { ...spec, columns: stored.map((column) => wanted.get(column.name) ?? column) }
  throw new LakeduelError(
    'SCHEMA_MISMATCH',
    `Table ${spec.name} exists and differs: ${problems.join('; ')}.`,
    {
      facts: { table: spec.name, problems },
      remedy: 'Open it as it is stored and add columns with `evolve`, or choose another name.',
    },
  )
}

export async function describeTable(lake: AttachedLake, spec: TableSpec): Promise<TableDescription> {
  const { session } = lake
  const stored = (await storedColumns(session, spec.name)) ?? []
  const asked = new Map(spec.columns.map((column) => [column.name, column]))
  const files = await tableFiles(lake, spec.name)
  return {
    format: 'ducklake',
    version: await snapshotVersion(session),
    columns: stored.map((column) => asAsked(column, asked.get(column.name))),
    partitionBy: await partitionColumn(lake, spec.name),
    rows: await liveRows(session, spec.name),
    ...files,
  }
}

/** Those of the data files less the deleted ones. */
export async function liveRows(session: DuckDbSession, name: string): Promise<number> {
  const [live] = await session.query(
    z.object({ rows: z.bigint() }),
    `SELECT count(*) AS rows FROM ${tableName(name)}`,
  )
  return Number(live?.rows ?? 0n)
}

interface TableFiles {
  readonly dataFiles: number
  /** And files whose deletes are inlined. */
  readonly deleteFiles: number
  /** Compressed bytes of the live data files. */
  readonly dataBytes: number
}

export async function tableFiles(lake: AttachedLake, name: string): Promise<TableFiles> {
  const [row] = await lake.session.query(
    z.object({
      file_count: z.bigint(),
      file_size_bytes: z.bigint().nullable(),
      delete_file_count: z.bigint(),
    }),
    `SELECT file_count, file_size_bytes, delete_file_count FROM ducklake_table_info(${literal(LAKE)}) WHERE table_name = $1`,
    [name],
  )
  return {
    dataFiles: Number(row?.file_count ?? 0n),
    deleteFiles: Number(row?.delete_file_count ?? 0n) + (await filesOfInlinedDeletes(lake, name)),
    dataBytes: Number(row?.file_size_bytes ?? 0n),
  }
}

/** Files whose deleted positions are in the catalog, each as good as a delete file to who reads it. */
async function filesOfInlinedDeletes(lake: AttachedLake, name: string): Promise<number> {
  const [table] = await lake.session.query(
    z.object({ id: z.bigint() }),
    `SELECT table_id AS id FROM ${metadataOf(lake)}.ducklake_table WHERE table_name = $1 AND end_snapshot IS NULL`,
    [name],
  )
  if (table === undefined) return 0
  const schema = identifier(lake.metadataSchema)
  const inlined = `${schema}.ducklake_inlined_delete_${table.id}`
  // Asked of Postgres itself, since the session doesn't see a table that was made after it first looked.
  const ask = (sql: string) => `postgres_query(${literal(METADATA)}, ${literal(sql)})`
  const [stored] = await lake.session.query(
    z.object({ exists: z.boolean() }),
    `FROM ${ask(`SELECT to_regclass(${literal(inlined)}) IS NOT NULL AS exists`)}`,
  )
  if (stored?.exists !== true) return 0
  const [counted] = await lake.session.query(
    z.object({ files: z.bigint() }),
    `FROM ${ask(`SELECT count(DISTINCT file_id) AS files FROM ${inlined}
      WHERE file_id IN (SELECT data_file_id FROM ${schema}.ducklake_data_file WHERE end_snapshot IS NULL)`)}`,
  )
  return Number(counted?.files ?? 0n)
}

export async function snapshotVersion(session: DuckDbSession): Promise<string> {
  const [row] = await session.query(
    z.object({ id: z.bigint() }),
    `SELECT id FROM ducklake_current_snapshot(${literal(LAKE)})`,
  )
  return String(row?.id ?? 0n)
}

/** The identity partition column; there is no function for it, so it is read from DuckLake's own tables. */
export async function partitionColumn(lake: AttachedLake, name: string): Promise<string | null> {
  const metadata = metadataOf(lake)
  const [row] = await lake.session.query(
    z.object({ column_name: z.string() }),
    `SELECT lake_column.column_name
     FROM ${metadata}.ducklake_table AS lake_table
     JOIN ${metadata}.ducklake_partition_info AS info ON info.table_id = lake_table.table_id AND info.end_snapshot IS NULL
     JOIN ${metadata}.ducklake_partition_column AS part ON part.partition_id = info.partition_id
     JOIN ${metadata}.ducklake_column AS lake_column
       ON lake_column.table_id = lake_table.table_id AND lake_column.column_id = part.column_id AND lake_column.end_snapshot IS NULL
     WHERE lake_table.table_name = $1 AND lake_table.end_snapshot IS NULL`,
    [name],
  )
  return row?.column_name ?? null
}

/** JSON is stored as VARCHAR, so where both are stored alike, the kind that was asked for tells more. */
export function asAsked(stored: ColumnSpec, asked: ColumnSpec | undefined): ColumnSpec {
  const alike = asked !== undefined && duckDbSqlOf(asked.type) === duckDbSqlOf(stored.type)
  return alike ? { name: stored.name, type: asked.type, nullable: stored.nullable } : stored
}

function contradictions(stored: ColumnSpec, wanted: ColumnSpec | undefined): readonly string[] {
  if (wanted === undefined)
    return stored.nullable ? [] : [`"${stored.name}" is stored, not nullable and not asked for`]
  const storedSql = duckDbSqlOf(stored.type)
  const wantedSql = duckDbSqlOf(wanted.type)
  return [
    ...(storedSql === wantedSql ? [] : [`"${stored.name}" is ${storedSql}, not ${wantedSql}`]),
    ...(stored.nullable === wanted.nullable
      ? []
      : [`"${stored.name}" is ${stored.nullable ? 'nullable' : 'not nullable'}`]),
  ]
}
