import { z } from 'zod'
import type { DuckDbSession, ResultColumn } from '../../platform/duckdb/session.ts'
import { identifier, literal, literalList } from '../../platform/duckdb/sql.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { StagedBatch, StagedPart } from '../backend.ts'
import { duckDbSqlOf } from '../duckdb-sql.ts'
import type { TableSpec } from '../schema.ts'
import { holds } from '../widening.ts'
import { lakeTypeOf } from './types.ts'

/** A batch whose columns were compared with the table's: what the strategies select from. */
export interface StagedRows {
  readonly parts: readonly StagedPart[]
  readonly rows: number
  readonly payloadBytes: number
  /** The table's columns in its order, cast to its types, null where the batch has none. */
  readonly projection: string
}

const KEYS = 'staged_keys'
const WINNERS = 'staged_winners'

/** The column that holds the URI of a row's part; no column of a table is called so. */
const PART = 'lakeduel_part'

/**
 * Reads the parts' footers and matches their columns with the table's. Null for a batch without rows.
 * @throws LakeduelError `SCHEMA_MISMATCH`, `BATCH_INVALID`
 */
export async function inspectBatch(
  session: DuckDbSession,
  spec: TableSpec,
  batch: StagedBatch,
): Promise<StagedRows | null> {
  const parts = batch.parts.filter((part) => part.rows > 0)
  assertDistinctParts(parts)
  if (parts.length === 0) return null
  // Part by part, since a scan of them all takes the wider type where two parts differ.
  const columns = new Set<string>()
  for (const part of parts) {
    const staged = await session.columnsOf(`SELECT * FROM ${scanOf([part])}`)
    const problems = problemsOf(spec, staged)
    if (problems.length > 0) throw schemaMismatch(spec, problems)
    for (const { name } of staged) columns.add(name)
  }
  return {
    parts,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    payloadBytes: parts.reduce((sum, part) => sum + part.payloadBytes, 0),
    projection: spec.columns
      .map(({ name, type }) => {
        const value = columns.has(name) ? `staged.${identifier(name)}` : 'NULL'
        return `CAST(${value} AS ${duckDbSqlOf(type)}) AS ${identifier(name)}`
      })
      .join(', '),
  }
}

function problemsOf(spec: TableSpec, staged: readonly ResultColumn[]): readonly string[] {
  const typeByName = new Map(staged.map((column) => [column.name, column.type]))
  return [
    ...staged
      .filter(({ name }) => !spec.columns.some((column) => column.name === name))
      .map(({ name }) => `"${name}" is no column of the table`),
    ...spec.columns.flatMap((column) => {
      const type = typeByName.get(column.name)
      if (type === undefined) return column.nullable ? [] : [`"${column.name}" is missing and not nullable`]
      const lakeType = lakeTypeOf(type)
      return lakeType !== null && holds(column.type, lakeType)
        ? []
        : [`"${column.name}" is ${type.toString()}, which ${duckDbSqlOf(column.type)} does not hold`]
    }),
  ]
}

export interface KeySurvey {
  /** A relation of the batch's keys and partitions, one row for each key. */
  readonly keys: string
  readonly distinctKeys: number
  /** The batch's partition values as SQL literals, or null where the table has no partitions or the batch too many. */
  readonly partitionLiterals: readonly string[] | null
  /** Whether a key occurs twice, so that reading the batch must pick the last row of each. */
  readonly hasDuplicates: boolean
}

/** More literals than this make planning dearer than the files that they prune. */
const MAX_PARTITION_LITERALS = 1_000

/**
 * Reads the key and partition columns, and nothing else, of a batch into a temporary table. Duplicates are found, and the
 * last row of each key is chosen, on keys alone: a window over the rows would hold the whole of a wide batch.
 */
export async function surveyKeys(
  session: DuckDbSession,
  spec: TableSpec,
  staged: StagedRows,
): Promise<KeySurvey> {
  const names = joinColumns(spec).map(identifier).join(', ')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${KEYS} AS
     SELECT list_position(${literalList(staged.parts.map((part) => part.uri))}, ${PART}) AS part_index, ${PART}, file_row_number, ${names}
     FROM (SELECT ${staged.projection}, ${PART}, file_row_number FROM ${scanWithPositions(staged.parts)} AS staged)`,
  )
  const [counts] = await session.query(
    z.object({ rows: z.bigint(), keys: z.bigint() }),
    `SELECT count(*) AS rows, count(DISTINCT ROW(${spec.primaryKey.map(identifier).join(', ')})) AS keys FROM ${KEYS}`,
  )
  const distinctKeys = Number(counts?.keys ?? 0n)
  const hasDuplicates = counts !== undefined && counts.rows !== counts.keys
  if (hasDuplicates) await chooseLastRows(session, spec, names)
  return {
    keys: hasDuplicates ? WINNERS : KEYS,
    distinctKeys,
    hasDuplicates,
    partitionLiterals: await partitionLiterals(session, spec),
  }
}

/** The rows of some parts of the batch; with a survey that found duplicates, the last of each key. */
export function rowsOf(staged: StagedRows, parts: readonly StagedPart[], survey: KeySurvey | null): string {
  if (survey === null || !survey.hasDuplicates) {
    return `SELECT ${staged.projection} FROM ${scanOf(parts)} AS staged`
  }
  return `SELECT ${staged.projection} FROM ${scanWithPositions(parts)} AS staged
    SEMI JOIN ${WINNERS} AS winner
      ON winner.${PART} = staged.${PART} AND winner.file_row_number = staged.file_row_number`
}

/** Consecutive parts of at most so many payload bytes together, and at least one part each. */
export function groupParts(
  parts: readonly StagedPart[],
  maxPayloadBytes: number,
): readonly (readonly StagedPart[])[] {
  const groups: StagedPart[][] = []
  let groupBytes = Number.POSITIVE_INFINITY
  for (const part of parts) {
    if (groupBytes + part.payloadBytes > maxPayloadBytes) {
      groups.push([])
      groupBytes = 0
    }
    groups.at(-1)?.push(part)
    groupBytes += part.payloadBytes
  }
  return groups
}

/** The columns by which a stored row is found: the key, and the partition that a key never leaves. */
export function joinColumns(spec: TableSpec): readonly string[] {
  const { primaryKey, partitionBy } = spec
  return partitionBy === null || primaryKey.includes(partitionBy) ? primaryKey : [...primaryKey, partitionBy]
}

/** `=` for columns that are never null, because DuckDB prunes by equality only; else NULL equals NULL. */
export function joinCondition(spec: TableSpec, left: string, right: string): string {
  const nullable = new Set(spec.columns.filter((column) => column.nullable).map((column) => column.name))
  return joinColumns(spec)
    .map((name) => {
      const operator = nullable.has(name) ? 'IS NOT DISTINCT FROM' : '='
      return `${left}.${identifier(name)} ${operator} ${right}.${identifier(name)}`
    })
    .join(' AND ')
}

function scanOf(parts: readonly StagedPart[], options = ''): string {
  const uris = literalList(parts.map((part) => part.uri))
  return `read_parquet(${uris}, union_by_name = true, hive_partitioning = false${options})`
}

/**
 * With the place of each row. The columns are asked for by options, because a MERGE whose source joins the virtual column
 * `file_index` of several files crashes DuckDB 1.5.5 (segmentation fault, reproduced without S3).
 */
function scanWithPositions(parts: readonly StagedPart[]): string {
  return scanOf(parts, `, filename = ${literal(PART)}, file_row_number = true`)
}

async function chooseLastRows(session: DuckDbSession, spec: TableSpec, names: string): Promise<void> {
  const key = spec.primaryKey.map(identifier).join(', ')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${WINNERS} AS SELECT ${PART}, file_row_number, ${names} FROM ${KEYS}
     QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY part_index DESC, file_row_number DESC) = 1`,
  )
}

async function partitionLiterals(session: DuckDbSession, spec: TableSpec): Promise<readonly string[] | null> {
  if (spec.partitionBy === null) return null
  const column = identifier(spec.partitionBy)
  const rows = await session.query(
    z.object({ sql: z.string().nullable() }),
    `SELECT DISTINCT CAST(${column} AS VARCHAR) AS sql FROM ${KEYS} LIMIT ${MAX_PARTITION_LITERALS + 1}`,
  )
  const values = rows.flatMap((row) => (row.sql === null ? [] : [row.sql]))
  return values.length < rows.length || rows.length > MAX_PARTITION_LITERALS ? null : values
}

/** A row is known by its part's URI and its number, so a part that is named twice could not be told apart from itself. */
function assertDistinctParts(parts: readonly StagedPart[]): void {
  const distinct = new Set(parts.map((part) => part.uri))
  if (distinct.size === parts.length) return
  throw new LakeduelError(
    'BATCH_INVALID',
    `The batch names ${parts.length - distinct.size} of its parts twice.`,
    {
      facts: { parts: parts.length, distinct: distinct.size },
      remedy: 'Name each staged part once.',
    },
  )
}

function schemaMismatch(spec: TableSpec, problems: readonly string[]): LakeduelError {
  return new LakeduelError(
    'SCHEMA_MISMATCH',
    `The batch does not fit table ${spec.name}: ${problems.join('; ')}.`,
    {
      facts: { table: spec.name, problems },
      remedy: 'Add new columns with `evolve` first, or stage the batch with the types of the table.',
    },
  )
}
