import { z } from 'zod'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier, literal } from '../../platform/duckdb/sql.ts'
import { type ComparedColumn, isOrdered } from './fingerprint.ts'

/** A filter that gives other rows than a scan of the whole table does. */
export interface WrongFilter {
  readonly filter: string
  /** Rows that satisfy it, when every row is looked at. */
  readonly scanned: number
  /** Rows that it gives, when DuckLake and DuckDB skip what they take for useless. */
  readonly filtered: number
}

export interface FilterCheck {
  readonly checked: number
  readonly wrong: readonly WrongFilter[]
}

/** Columns that are tried: each filter may cost a scan. */
const MAX_COLUMNS = 16

/**
 * Holds filters against scans: a file or row group that is skipped by wrong bounds loses its rows in silence, and only in
 * queries that filter by the column.
 * @param relation of the lake table
 */
export async function checkFilters(
  session: DuckDbSession,
  relation: string,
  columns: readonly ComparedColumn[],
  partitionColumns: readonly string[],
): Promise<FilterCheck> {
  const partitions = new Set(partitionColumns)
  const tried = columns
    .filter(({ sql }) => isOrdered(sql))
    .toSorted((a, b) => Number(partitions.has(b.name)) - Number(partitions.has(a.name)))
    .slice(0, MAX_COLUMNS)
  if (tried.length === 0) return { checked: 0, wrong: [] }
  const filters = await chooseFilters(session, relation, tried)
  const scanned = await scan(session, relation, filters)
  const wrong: WrongFilter[] = []
  for (const [index, filter] of filters.entries()) {
    const [row] = await session.query(
      z.object({ rows: z.bigint() }),
      `SELECT count(*) AS rows FROM ${relation} WHERE ${filter}`,
    )
    const [filtered, whole] = [Number(row?.rows ?? 0n), scanned[index] ?? 0]
    if (filtered !== whole) wrong.push({ filter, scanned: whole, filtered })
  }
  return { checked: filters.length, wrong }
}

/** For each column: NULLs, a value that occurs, values from it on, and what is greater than the greatest number. */
async function chooseFilters(
  session: DuckDbSession,
  relation: string,
  columns: readonly ComparedColumn[],
): Promise<readonly string[]> {
  const chosen = columns.flatMap(({ name, sql }, index) => [
    // Which value it is depends on nothing but the values, so a check can be repeated.
    `min_by(${identifier(name)}, hash(${identifier(name)}))::VARCHAR AS value_${index}`,
    `max(${identifier(name)})${isFloat(sql) ? ` FILTER (WHERE NOT isnan(${identifier(name)}))` : ''}::VARCHAR AS largest_${index}`,
  ])
  const [row] = await session.query(
    z.record(z.string(), z.string().nullable()),
    `SELECT ${chosen.join(', ')} FROM ${relation}`,
  )
  return columns.flatMap(({ name, sql }, index) => {
    const column = identifier(name)
    const [value, largest] = [row?.[`value_${index}`] ?? null, row?.[`largest_${index}`] ?? null]
    const typed = (text: string) => `CAST(${literal(text)} AS ${sql})`
    return [
      `${column} IS NULL`,
      ...(value === null ? [] : [`${column} = ${typed(value)}`, `${column} >= ${typed(value)}`]),
      ...(largest === null ? [] : [`${column} > ${typed(largest)}`]),
    ]
  })
}

/** Each row is looked at, since no filter stands where one could be pushed down. */
async function scan(
  session: DuckDbSession,
  relation: string,
  filters: readonly string[],
): Promise<readonly number[]> {
  const counts = filters.map((filter, index) => `count_if(${filter}) AS filter_${index}`)
  const [row] = await session.query(
    z.record(z.string(), z.unknown()),
    `SELECT ${counts.join(', ')} FROM ${relation}`,
  )
  return filters.map((_, index) => Number(row?.[`filter_${index}`] ?? 0))
}

function isFloat(sql: string): boolean {
  return sql === 'FLOAT' || sql === 'DOUBLE'
}
