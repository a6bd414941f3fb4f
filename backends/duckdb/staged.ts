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
  /** Of the table. */
  readonly columns: number
  /** The table's columns in its order, cast to its types, null where the batch has none. */
  readonly projection: string
}

/** The column that holds the URI of a row's part; no column of a table is called so. */
export const PART = 'lakeduel_part'

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
    columns: spec.columns.length,
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

/** A value of a column that isn't nullable, or the error of DuckDB's own constraint. */
export function notNull(value: string, column: string): string {
  return `coalesce(${value}, error(${literal(`Constraint Error: NOT NULL constraint failed: ${column}`)}))`
}

/** The rows of some parts, as a FROM item. */
export function scanOf(parts: readonly StagedPart[], options = ''): string {
  const uris = literalList(parts.map((part) => part.uri))
  return `read_parquet(${uris}, union_by_name = true, hive_partitioning = false${options})`
}

/**
 * With the place of each row. The columns are asked for by options, because a MERGE whose source joins the virtual column
 * `file_index` of several files crashes DuckDB 1.5.5 (segmentation fault, reproduced without S3).
 */
export function scanWithPositions(parts: readonly StagedPart[]): string {
  return scanOf(parts, `, filename = ${literal(PART)}, file_row_number = true`)
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
