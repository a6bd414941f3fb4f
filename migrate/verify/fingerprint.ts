import { z } from 'zod'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier } from '../../platform/duckdb/sql.ts'

/** A column as it is compared. */
export interface ComparedColumn {
  readonly name: string
  /** The type that both sides are brought to, as DuckDB spells it. */
  readonly sql: string
}

/** What is known of the values of a column, whatever the order of the rows. */
export interface ColumnFingerprint {
  readonly nulls: bigint
  /** As text; null where there is none, or no order. */
  readonly min: string | null
  readonly max: string | null
  /** About as many distinct values as this; the same values give the same number. Null where rows came in several parts. */
  readonly distinct: number | null
  /** The sum of the hashes of its values. */
  readonly hash: bigint
}

export interface Fingerprint {
  readonly rows: bigint
  /** The sum of the hashes of all rows: alike for the same rows in any order, each as often. */
  readonly hash: bigint
  readonly columns: readonly ColumnFingerprint[]
  /** Rows by the values of the partition columns, as a JSON array. */
  readonly partitions: ReadonlyMap<string, bigint>
}

const aggregatesSchema = z.record(z.string(), z.union([z.bigint(), z.number(), z.string(), z.null()]))
type Aggregates = Readonly<z.infer<typeof aggregatesSchema>>

/** Types whose smallest and largest value DuckDB can tell, in an order that means something. */
const ORDERED =
  /^(?:VARCHAR|BIGINT|INTEGER|SMALLINT|TINYINT|FLOAT|DOUBLE|DECIMAL.*|BOOLEAN|DATE|TIMESTAMP.*)$/
export function isOrdered(sql: string): boolean {
  return ORDERED.test(sql)
}

/** Columns in one statement: DuckDB plans a thousand of them in a second, and ten thousand in minutes. */
const COLUMNS_PER_STATEMENT = 500

/**
 * @param relation of DuckDB, with the columns by name
 * @param partitionColumns names of those by which rows are counted
 */
export async function fingerprint(
  session: DuckDbSession,
  relation: string,
  columns: readonly ComparedColumn[],
  partitionColumns: readonly string[],
): Promise<Fingerprint> {
  const all = `(SELECT ${columns.map(castColumn).join(', ')} FROM ${relation})`
  const found: ColumnFingerprint[] = []
  let total = { rows: 0n, hash: 0n }
  for (let from = 0; from < columns.length; from += COLUMNS_PER_STATEMENT) {
    const some = columns.slice(from, from + COLUMNS_PER_STATEMENT)
    const row = await totals(session, all, some)
    found.push(...some.map((column, index) => columnOf(row, column, index)))
    // Of a table too wide for one statement, the hashes of the slices of its rows are added up.
    total = { rows: BigInt(String(row.rows)), hash: total.hash + BigInt(String(row.hash ?? 0)) }
  }
  return { ...total, columns: found, partitions: await partitionCounts(session, all, partitionColumns) }
}

async function totals(
  session: DuckDbSession,
  relation: string,
  columns: readonly ComparedColumn[],
): Promise<Aggregates> {
  const perColumn = columns.flatMap((column, index) => {
    const value = identifier(column.name)
    const text = hashable(column)
    return [
      `count(*) - count(${value}) AS nulls_${index}`,
      `sum(hash(${text})::HUGEINT)::VARCHAR AS hash_${index}`,
      `approx_count_distinct(${text}) AS distinct_${index}`,
      ...(isOrdered(column.sql)
        ? [`min(${value})::VARCHAR AS min_${index}`, `max(${value})::VARCHAR AS max_${index}`]
        : []),
    ]
  })
  const [row] = await session.query(
    aggregatesSchema,
    `SELECT count(*) AS rows, sum(hash(${columns.map(hashable).join(', ')})::HUGEINT)::VARCHAR AS hash, ${perColumn.join(', ')} FROM ${relation}`,
  )
  if (row === undefined) throw new Error('an aggregate gave no row')
  return row
}

function columnOf(row: Aggregates, { sql }: ComparedColumn, index: number): ColumnFingerprint {
  const ordered = isOrdered(sql)
  return {
    nulls: BigInt(String(row[`nulls_${index}`])),
    hash: BigInt(String(row[`hash_${index}`] ?? 0)),
    distinct: Number(row[`distinct_${index}`]),
    min: ordered ? textOrNull(row[`min_${index}`]) : null,
    max: ordered ? textOrNull(row[`max_${index}`]) : null,
  }
}

function textOrNull(value: Aggregates[string] | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}

async function partitionCounts(
  session: DuckDbSession,
  relation: string,
  partitionColumns: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  if (partitionColumns.length === 0) return new Map()
  const values = partitionColumns.map((name) => `${identifier(name)}::VARCHAR`).join(', ')
  const rows = await session.query(
    z.object({ key: z.string(), rows: z.bigint() }),
    `SELECT to_json([${values}])::VARCHAR AS key, count(*) AS rows FROM ${relation} GROUP BY ALL`,
  )
  return new Map(rows.map(({ key, rows: count }) => [key, count]))
}

function castColumn({ name, sql }: ComparedColumn): string {
  return `CAST(${identifier(name)} AS ${sql}) AS ${identifier(name)}`
}

/** A variant has no hash of its own. */
function hashable({ name, sql }: ComparedColumn): string {
  return sql === 'VARIANT' ? `${identifier(name)}::VARCHAR` : identifier(name)
}

/** The fingerprint of the rows of both, which are parts of one table. */
export function together(a: Fingerprint, b: Fingerprint, columns: readonly ComparedColumn[]): Fingerprint {
  const partitions = new Map(a.partitions)
  for (const [key, rows] of b.partitions) partitions.set(key, (partitions.get(key) ?? 0n) + rows)
  return {
    rows: a.rows + b.rows,
    hash: a.hash + b.hash,
    partitions,
    columns: columns.flatMap((_, index) => {
      const [left, right] = [a.columns[index], b.columns[index]]
      return left === undefined || right === undefined ? [] : [joined(left, right)]
    }),
  }
}

/** Smallest and largest are told as text, which has another order than the values, so they are left out. */
function joined(a: ColumnFingerprint, b: ColumnFingerprint): ColumnFingerprint {
  return { nulls: a.nulls + b.nulls, hash: a.hash + b.hash, min: null, max: null, distinct: null }
}
