import { z } from 'zod'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier, literalList } from '../../platform/duckdb/sql.ts'
import type { StagedPart } from '../backend.ts'
import type { StagedRows } from '../duckdb/staged.ts'
import { PART, scanOf, scanWithPositions } from '../duckdb/staged.ts'
import type { TableSpec } from '../schema.ts'

const KEYS = 'staged_keys'
const WINNERS = 'staged_winners'

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
