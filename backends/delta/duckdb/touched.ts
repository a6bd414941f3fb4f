import { z } from 'zod'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { identifier, literal } from '../../../platform/duckdb/sql.ts'
import type { TableSpec } from '../../schema.ts'
import type { LoadedBatch } from './batch.ts'
import { comparedKeys, PLACE } from './batch.ts'
import type { MergeContext } from './merge.ts'
import { eachOnSessions } from './sessions.ts'
import { FILE, storedFiles } from './stored-files.ts'

/** A file of the table that holds a key of the batch, and has to be written anew. */
export interface TouchedFile {
  readonly index: number
  readonly partitionIndex: number
  /** As the log has it. */
  readonly path: string
  readonly uri: string
  readonly bytes: number
  /** Null where the log doesn't tell. */
  readonly rows: number | null
}

export interface Touched {
  readonly files: readonly TouchedFile[]
  /** Of the files that were looked through: `index` and `uri`. */
  readonly candidates: string
  /** Of the stored rows whose key is in the batch: `file_index` and `row_number`. */
  readonly matches: string
  readonly filesRead: number
  readonly matchedRows: number
  /** Keys of the batch that are stored. */
  readonly matchedKeys: number
}

/**
 * Finds the files that hold a key of the batch: those that may, by partition and by what the log tells of their keys, are
 * looked through, and only the key columns of them are read.
 */
export async function findTouched(
  { schema, sessions, spec, listing, duckDbSettings }: MergeContext,
  batch: LoadedBatch,
): Promise<Touched> {
  const [session] = sessions
  const candidates = `${schema}.candidates`
  await session.run(`CREATE TABLE ${candidates} AS ${candidateQuery(spec, batch, listing)}`)
  const found = await session.query(
    z.object({ uri: z.string() }),
    `SELECT uri FROM ${candidates} ORDER BY partition_index, index`,
  )
  const matches = `${schema}.matches`
  await session.run(`CREATE TABLE ${matches} (file_index INTEGER, row_number BIGINT, ${PLACE} BIGINT)`)
  const groups = dealt(
    found.map(({ uri }) => uri),
    sessions.length,
  )
  await eachOnSessions(sessions, duckDbSettings.threads, groups, (one, uris) =>
    one.run(matchQuery(spec, { batch, candidates, matches }, uris)),
  )
  return {
    ...(await touchedFiles(session, candidates, matches)),
    candidates,
    matches,
    filesRead: found.length,
  }
}

/**
 * By all key columns with a range, and by one of them more closely: the nearest key of the batch that is not below the
 * least of the file must not be above its greatest.
 */
function candidateQuery(spec: TableSpec, { keys, partitionTable }: LoadedBatch, listing: string): string {
  const ranged = comparedKeys(spec).filter(({ column }) => RANGED_KINDS.has(column.type.kind))
  const named = `SELECT files.*, partition_index FROM read_parquet(${literal(listing)}) AS files
    JOIN ${partitionTable} ON value IS NOT DISTINCT FROM partition_value`
  const [first] = ranged
  if (first === undefined) return named
  const bounds = ranged.map(
    ({ index }) =>
      `min(key_${index}) AS from_${index}, max(key_${index}) AS to_${index}, bool_or(key_${index} IS NULL) AS any_null_${index}`,
  )
  const conditions = ranged.map(({ index }) => rangeCondition(index))
  const nearest = `key_${first.index}`
  return `WITH bounds AS (SELECT partition_index, ${bounds.join(', ')} FROM ${keys} GROUP BY partition_index),
      named AS (SELECT named.*, bounds.* EXCLUDE (partition_index) FROM (${named}) AS named JOIN bounds USING (partition_index) WHERE ${conditions.join(' AND ')}),
      distinct_keys AS (SELECT DISTINCT partition_index, ${nearest} FROM ${keys} WHERE ${nearest} IS NOT NULL)
    SELECT named.* FROM named ASOF LEFT JOIN distinct_keys
      ON named.partition_index = distinct_keys.partition_index AND named.least_${first.index} <= distinct_keys.${nearest}
    WHERE ${mayHoldNull(first.index)} OR ${isUnknown(first.index)} OR distinct_keys.${nearest} <= greatest_${first.index}`
}

/** The kinds of which the sidecar lists the least and the greatest value. */
const RANGED_KINDS: ReadonlySet<string> = new Set([
  'int8',
  'int16',
  'int32',
  'int64',
  'string',
  'json',
  'date',
])

function rangeCondition(index: number): string {
  return `(${isUnknown(index)} OR ${mayHoldNull(index)} OR (from_${index} <= greatest_${index} AND to_${index} >= least_${index}))`
}

function isUnknown(index: number): string {
  return `least_${index} IS NULL OR greatest_${index} IS NULL`
}

function mayHoldNull(index: number): string {
  return `(any_null_${index} AND coalesce(nulls_${index}, 1) > 0)`
}

function matchQuery(
  spec: TableSpec,
  {
    batch,
    candidates,
    matches,
  }: { readonly batch: LoadedBatch; readonly candidates: string; readonly matches: string },
  uris: readonly string[],
): string {
  const keys = comparedKeys(spec)
  const conditions = keys.map(
    ({ column, index }) =>
      `stored.${identifier(column.name)} ${column.nullable ? 'IS NOT DISTINCT FROM' : '='} batch.key_${index}`,
  )
  const stored = storedFiles(
    uris,
    keys.map(({ column }) => column),
  )
  return `INSERT INTO ${matches} SELECT files.index, stored.file_row_number, batch.${PLACE}
    FROM ${stored} AS stored
    JOIN ${candidates} AS files ON files.uri = stored.${FILE}
    JOIN ${batch.keys} AS batch ON ${['batch.partition_index = files.partition_index', ...conditions].join(' AND ')}`
}

async function touchedFiles(
  session: DuckDbSession,
  candidates: string,
  matches: string,
): Promise<Pick<Touched, 'files' | 'matchedRows' | 'matchedKeys'>> {
  const files = await session.query(
    z.object({
      index: z.int(),
      partitionIndex: z.int(),
      path: z.string(),
      uri: z.string(),
      bytes: z.bigint().transform(Number),
      rows: z.bigint().transform(Number).nullable(),
    }),
    `SELECT index, partition_index AS partitionIndex, path, uri, bytes, rows FROM ${candidates}
     WHERE index IN (SELECT file_index FROM ${matches}) ORDER BY bytes`,
  )
  const [counted] = await session.query(
    z.object({ rows: z.bigint(), keys: z.bigint() }),
    `SELECT count(*) AS rows, count(DISTINCT ${PLACE}) AS keys FROM ${matches}`,
  )
  return { files, matchedRows: Number(counted?.rows ?? 0n), matchedKeys: Number(counted?.keys ?? 0n) }
}

/** Deals items out in consecutive groups of about the same length, none of them empty. */
function dealt<T>(items: readonly T[], groups: number): readonly (readonly T[])[] {
  const size = Math.max(1, Math.ceil(items.length / groups))
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
