import { z } from 'zod'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { identifier, literal, literalList } from '../../../platform/duckdb/sql.ts'
import type { StagedRows } from '../../duckdb/staged.ts'
import { PART, scanWithPositions } from '../../duckdb/staged.ts'
import { duckDbSqlOf } from '../../duckdb-sql.ts'
import type { ColumnSpec, TableSpec } from '../../schema.ts'

/** A value of the partition column in the batch. */
export interface BatchPartition {
  readonly index: number
  /** As Delta's log has it; null also where the table has no partition column. */
  readonly text: string | null
  /** The condition that a row of the batch is in it. */
  readonly condition: string
  readonly rows: number
}

/** The rows of a batch in DuckDB, the last of each key. */
export interface LoadedBatch {
  /** Of the rows; it has the columns that were loaded, and `lakeduel_place`. */
  readonly rows: string
  /** Of the keys: `partition_index`, `place` and `key_<n>` for each key column that isn't the partition column. */
  readonly keys: string
  readonly partitions: readonly BatchPartition[]
  /** Of the partitions: `partition_index` and `value`. */
  readonly partitionTable: string
  readonly distinctKeys: number
}

/** The place of a row in its batch: its part's, and below that its own. No column of a table is called so. */
export const PLACE = 'lakeduel_place'
const ROW_NUMBER_BITS = 40

/**
 * Reads the parts once, into a table that DuckDB spills where it has to. Duplicates are found on keys alone, since a
 * window over the rows would hold the whole of a wide batch.
 * @param columns those that are needed, the key's and the partition column among them
 */
export async function loadBatch(
  session: DuckDbSession,
  schema: string,
  spec: TableSpec,
  staged: StagedRows,
  columns: readonly ColumnSpec[],
): Promise<LoadedBatch> {
  const rows = `${schema}.batch`
  await session.run(`CREATE TABLE ${rows} (${definitions(columns)}, ${PLACE} BIGINT)`)
  const parts = literalList(staged.parts.map(({ uri }) => uri))
  await session.run(
    `INSERT INTO ${rows} SELECT ${[...columns.map(({ name }) => identifier(name)), PLACE].join(', ')} FROM (
       SELECT * ${replacements(spec)} FROM (
       SELECT ${staged.projection}, (list_position(${parts}, staged.${PART})::BIGINT << ${ROW_NUMBER_BITS}) + staged.file_row_number AS ${PLACE}
       FROM ${scanWithPositions(staged.parts)} AS staged))`,
  )
  const distinctKeys = await keepLastRows(session, rows, spec.primaryKey)
  const partitionTable = `${schema}.partitions`
  const partitions = await listPartitions(session, { rows, partitionTable }, spec)
  const keys = `${schema}.keys`
  await session.run(
    `CREATE TABLE ${keys} AS SELECT partitions.partition_index, batch.${PLACE} AS place ${keyColumns(spec)}
     FROM ${rows} AS batch JOIN ${partitionTable} AS partitions ON partitions.value IS NOT DISTINCT FROM ${partitionExpression(spec, 'batch')}`,
  )
  return { rows, keys, partitions, partitionTable, distinctKeys }
}

/** The primary key without the partition column, which is compared before all else. */
export function comparedKeys(
  spec: TableSpec,
): readonly { readonly column: ColumnSpec; readonly index: number }[] {
  return spec.primaryKey.flatMap((name, index) => {
    const column = spec.columns.find((one) => one.name === name)
    return column === undefined || name === spec.partitionBy ? [] : [{ column, index }]
  })
}

function definitions(columns: readonly ColumnSpec[]): string {
  return columns
    .map(
      ({ name, type, nullable }) => `${identifier(name)} ${duckDbSqlOf(type)}${nullable ? '' : ' NOT NULL'}`,
    )
    .join(', ')
}

/** Delta's protocol takes an empty text for NULL in a partition column. */
function replacements(spec: TableSpec): string {
  const column = partitionColumn(spec)
  if (column === undefined || duckDbSqlOf(column.type) !== 'VARCHAR') return ''
  return `REPLACE (nullif(${identifier(column.name)}, '') AS ${identifier(column.name)})`
}

function keyColumns(spec: TableSpec): string {
  return comparedKeys(spec)
    .map(({ column, index }) => `, batch.${identifier(column.name)} AS key_${index}`)
    .join('')
}

async function keepLastRows(
  session: DuckDbSession,
  rows: string,
  primaryKey: readonly string[],
): Promise<number> {
  const key = primaryKey.map(identifier).join(', ')
  const [counts] = await session.query(
    z.object({ rows: z.bigint(), keys: z.bigint() }),
    `SELECT count(*) AS rows, count(DISTINCT ROW(${key})) AS keys FROM ${rows}`,
  )
  if (counts === undefined) return 0
  if (counts.rows !== counts.keys) {
    await session.run(
      `DELETE FROM ${rows} WHERE ${PLACE} NOT IN (SELECT max(${PLACE}) FROM ${rows} GROUP BY ${key})`,
    )
  }
  return Number(counts.keys)
}

async function listPartitions(
  session: DuckDbSession,
  { rows, partitionTable }: { readonly rows: string; readonly partitionTable: string },
  spec: TableSpec,
): Promise<readonly BatchPartition[]> {
  const column = partitionColumn(spec)
  await session.run(
    `CREATE TABLE ${partitionTable} AS
     SELECT (row_number() OVER () - 1)::INTEGER AS partition_index, value, rows FROM (
       SELECT ${partitionExpression(spec, 'batch')} AS value, count(*) AS rows FROM ${rows} AS batch GROUP BY ALL)`,
  )
  const found = await session.query(
    z.object({ index: z.int(), text: z.string().nullable(), rows: z.bigint() }),
    `SELECT partition_index AS index, ${partitionText(column, 'value')} AS text, rows FROM ${partitionTable} ORDER BY index`,
  )
  return found.map(({ index, text, rows: count }) => ({
    index,
    text,
    condition: conditionOf(column, text),
    rows: Number(count),
  }))
}

function conditionOf(column: ColumnSpec | undefined, text: string | null): string {
  if (column === undefined) return 'true'
  const name = identifier(column.name)
  return text === null ? `${name} IS NULL` : `${name} = ${partitionLiteral(column, text)}`
}

/** A partition's value from its text in the log. */
export function partitionLiteral(column: ColumnSpec, text: string | null): string {
  const zone = column.type.kind === 'timestamptz' && text !== null ? '+00' : ''
  return `CAST(${text === null ? 'NULL' : literal(text + zone)} AS ${duckDbSqlOf(column.type)})`
}

/** A partition's value as Delta's log has it: a time in UTC without saying so. */
export function partitionText(column: ColumnSpec | undefined, value: string): string {
  return column?.type.kind === 'timestamptz'
    ? `CAST(${value} AT TIME ZONE 'UTC' AS VARCHAR)`
    : `CAST(${value} AS VARCHAR)`
}

export function partitionColumn(spec: TableSpec): ColumnSpec | undefined {
  return spec.columns.find(({ name }) => name === spec.partitionBy)
}

function partitionExpression(spec: TableSpec, alias: string): string {
  return spec.partitionBy === null ? 'NULL::INTEGER' : `${alias}.${identifier(spec.partitionBy)}`
}
