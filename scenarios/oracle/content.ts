import { z } from 'zod'
import type { TableSpec } from '../../backends/schema.ts'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier } from '../../platform/duckdb/sql.ts'
import { comparedType } from './types.ts'

/** The content of some rows, however they are ordered. Contents of disjoint rows add up. */
export interface Content {
  readonly rows: number
  readonly distinctKeys: number
  /** The sum of a 64-bit hash of each row. A lost, doubled or changed row changes it, but for a chance of 2^-64. */
  readonly hashSum: bigint
}

/** The least and the greatest value of the first key column, as text. */
export interface KeyRange {
  readonly leastKey: string
  readonly greatestKey: string
}

export const NO_ROWS: Content = { rows: 0, distinctKeys: 0, hashSum: 0n }

const contentSchema = z.object({
  n: z.bigint(),
  keys: z.bigint(),
  hashes: z.bigint().nullable(),
  least: z.string().nullable(),
  greatest: z.string().nullable(),
})

/** SQL of the hash of a whole row, its columns cast to the types that the table declares. */
function rowHash(table: TableSpec): string {
  const columns = table.columns.map(
    (column) => `CAST(${identifier(column.name)} AS ${comparedType(column.type)})`,
  )
  return `hash(${columns.join(', ')})`
}

function keyOf(table: TableSpec): string {
  const keys = table.primaryKey.map(identifier)
  return keys.length === 1 ? keys.join('') : `row(${keys.join(', ')})`
}

/**
 * Scans all columns of all rows, so that nothing is answered from statistics.
 * @param relation a FROM item: a table, a table function, or a subquery in parentheses
 */
export async function contentOf(
  session: DuckDbSession,
  table: TableSpec,
  relation: string,
): Promise<Content & KeyRange> {
  const [found] = await session.query(contentSchema, `SELECT ${contentColumns(table)} FROM ${relation}`)
  return {
    ...readContent(found),
    leastKey: found?.least ?? 'none',
    greatestKey: found?.greatest ?? 'none',
  }
}

function contentColumns(table: TableSpec): string {
  const range = firstKey(table)
  return `count(${keyOf(table)}) AS n, count(DISTINCT ${keyOf(table)}) AS keys,
    CAST(sum(CAST(${rowHash(table)} AS HUGEINT)) AS HUGEINT) AS hashes,
    CAST(min(${range}) AS VARCHAR) AS least, CAST(max(${range}) AS VARCHAR) AS greatest`
}

function readContent(found: z.output<typeof contentSchema> | undefined): Content {
  if (found === undefined) return NO_ROWS
  return { rows: Number(found.n), distinctKeys: Number(found.keys), hashSum: found.hashes ?? 0n }
}

/** The content of the rows of both. Their keys must be disjoint. */
export function union(one: Content, other: Content): Content {
  return {
    rows: one.rows + other.rows,
    distinctKeys: one.distinctKeys + other.distinctKeys,
    hashSum: one.hashSum + other.hashSum,
  }
}

/** The hash sum as text: the low 128 bits in hexadecimal. */
export function contentHash(content: Content): string {
  return BigInt.asUintN(128, content.hashSum).toString(16).padStart(32, '0')
}

/**
 * The content of the rows of each of some keys, found by filters that a reader may answer by leaving files out.
 * One statement for all, since planning it reads a table's whole list of files.
 */
export async function contentsOfKeys(
  session: DuckDbSession,
  table: TableSpec,
  relation: string,
  keys: readonly number[],
): Promise<readonly Content[]> {
  const lookUps = keys.map(
    (key, index) =>
      `SELECT ${index} AS position, ${contentColumns(table)} FROM ${relation} WHERE ${firstKey(table)} = ${key}`,
  )
  const found = await session.query(contentSchema, `${lookUps.join(' UNION ALL ')} ORDER BY position`)
  return found.map(readContent)
}

/** Look-ups and ranges are by the first key column. */
export function firstKey(table: TableSpec): string {
  const [column] = table.primaryKey
  if (column === undefined) throw new RangeError(`the table ${table.name} has no primary key to look up`)
  return identifier(column)
}
