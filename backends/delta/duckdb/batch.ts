import { z } from 'zod'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { identifier, literal, literalList } from '../../../platform/duckdb/sql.ts'
import type { StagedRows } from '../../duckdb/staged.ts'
import { notNull, PART, scanWithPositions } from '../../duckdb/staged.ts'
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

/** A batch whose keys DuckDB holds: the last row of each. */
export interface LoadedBatch {
  /** Of the keys: `partition_index`, `lakeduel_place`, and `key_<n>` for each key column that isn't the partition column. */
  readonly keys: string
  readonly partitions: readonly BatchPartition[]
  /** Of the partitions: `partition_index` and `value`. */
  readonly partitionTable: string
  readonly distinctKeys: number
  /** A relation of the rows, with the table's columns and `lakeduel_place`, rows that are not the last of a key among them. */
  readonly rows: string
  /** Whether `rows` is in DuckDB; else it reads the parts. */
  readonly isHeld: boolean
  readonly bytesPerRow: number
}

/** The place of a row in its batch: its part's, and below that its own. No column of a table is called so. */
export const PLACE = 'lakeduel_place'
const ROW_NUMBER_BITS = 40

/**
 * Reads the parts: all of a small batch at once, and of a large one the keys alone. DuckDB isn't given wide rows to hold,
 * since 250 MiB of rows of 1 MB took 800 MiB of its process, which no limit bounds, and could not be spilled.
 */
export async function loadBatch(
  session: DuckDbSession,
  schema: string,
  spec: TableSpec,
  staged: StagedRows,
  isHeld: boolean,
): Promise<LoadedBatch> {
  const found = `${schema}.found`
  const parts = partRows(spec, staged)
  const keyed = new Set([...spec.primaryKey, spec.partitionBy])
  const columns = isHeld ? spec.columns : spec.columns.filter(({ name }) => keyed.has(name))
  const names = [...columns.map(({ name }) => identifier(name)), PLACE].join(', ')
  await session.run(`CREATE TABLE ${found} AS SELECT ${names} FROM ${parts}`)
  const distinctKeys = await keepLastRows(session, found, spec.primaryKey)
  const partitionTable = `${schema}.partitions`
  const partitions = await listPartitions(session, { found, partitionTable }, spec)
  const keys = `${schema}.keys`
  await session.run(
    `CREATE TABLE ${keys} AS SELECT partitions.partition_index, batch.${PLACE} ${keyColumns(spec)}
     FROM ${found} AS batch JOIN ${partitionTable} AS partitions ON partitions.value IS NOT DISTINCT FROM ${partitionExpression(spec, 'batch')}`,
  )
  const bytesPerRow = staged.payloadBytes / Math.max(1, staged.rows)
  return { keys, partitions, partitionTable, distinctKeys, rows: isHeld ? found : parts, isHeld, bytesPerRow }
}

/** The rows of the parts as the table has them. Delta's protocol takes an empty text for NULL in a partition column. */
function partRows(spec: TableSpec, staged: StagedRows): string {
  const parts = literalList(staged.parts.map(({ uri }) => uri))
  const columns = spec.columns.map(({ name, type, nullable }) => {
    const column = identifier(name)
    const isText = name === spec.partitionBy && duckDbSqlOf(type) === 'VARCHAR'
    const value = isText ? `nullif(${column}, '')` : column
    return `${nullable ? value : notNull(value, name)} AS ${column}`
  })
  return `(SELECT ${[...columns, PLACE].join(', ')} FROM (
    SELECT ${staged.projection}, (list_position(${parts}, staged.${PART})::BIGINT << ${ROW_NUMBER_BITS}) + staged.file_row_number AS ${PLACE}
    FROM ${scanWithPositions(staged.parts)} AS staged))`
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

function keyColumns(spec: TableSpec): string {
  return comparedKeys(spec)
    .map(({ column, index }) => `, batch.${identifier(column.name)} AS key_${index}`)
    .join('')
}

async function keepLastRows(
  session: DuckDbSession,
  found: string,
  primaryKey: readonly string[],
): Promise<number> {
  const key = primaryKey.map(identifier).join(', ')
  const [counts] = await session.query(
    z.object({ rows: z.bigint(), keys: z.bigint() }),
    `SELECT count(*) AS rows, count(DISTINCT ROW(${key})) AS keys FROM ${found}`,
  )
  if (counts === undefined) return 0
  if (counts.rows !== counts.keys) {
    await session.run(
      `DELETE FROM ${found} WHERE ${PLACE} NOT IN (SELECT max(${PLACE}) FROM ${found} GROUP BY ${key})`,
    )
  }
  return Number(counts.keys)
}

async function listPartitions(
  session: DuckDbSession,
  { found, partitionTable }: { readonly found: string; readonly partitionTable: string },
  spec: TableSpec,
): Promise<readonly BatchPartition[]> {
  const column = partitionColumn(spec)
  await session.run(
    `CREATE TABLE ${partitionTable} AS
     SELECT (row_number() OVER () - 1)::INTEGER AS partition_index, value, rows FROM (
       SELECT ${partitionExpression(spec, 'batch')} AS value, count(*) AS rows FROM ${found} AS batch GROUP BY ALL)`,
  )
  const listed = await session.query(
    z.object({ index: z.int(), text: z.string().nullable(), rows: z.bigint() }),
    `SELECT partition_index AS index, ${partitionText(column, 'value')} AS text, rows FROM ${partitionTable} ORDER BY index`,
  )
  return listed.map(({ index, text, rows: count }) => ({
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
