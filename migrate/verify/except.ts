import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { identifier, literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from '../lake/lake.ts'
import { openParquetSession } from '../source/open.ts'
import type { ComparedColumn } from './fingerprint.ts'
import { kernelScan, type ReaderAccess, type Reading } from './readers.ts'

export interface RowDifferences {
  /** One row in so many was compared, chosen by its content; 1 for all. */
  readonly oneIn: number
  readonly rowsCompared: number
  /** Rows that the lake has and the Delta table hasn't, and the other way round, each counted as often as it is too many. */
  readonly onlyInLake: number
  readonly onlyInDelta: number
  /** Some of them, as JSON objects. */
  readonly examplesInLake: readonly string[]
  readonly examplesInDelta: readonly string[]
}

const EXAMPLES = 10
/** Of a larger table a sample is compared, unless all of it is asked for. */
const SAMPLED_ROWS = 5_000_000

/**
 * Compares row by row, both ways, each row as often as it occurs (`EXCEPT ALL`), with the kernel as the other reader.
 * @param relation of the lake table
 * @param rows that the table has
 */
export async function compareRows(
  access: ReaderAccess,
  lake: Lake,
  relation: string,
  reading: Reading,
  { rows, all }: { readonly rows: number; readonly all: boolean },
): Promise<RowDifferences> {
  const oneIn = all ? 1 : Math.max(1, Math.ceil(rows / SAMPLED_ROWS))
  const file = join(access.scratchDir, `rows-${randomUUID()}.parquet`)
  try {
    const written = await lake.session.run(
      `COPY (${selection(relation, reading.columns, oneIn)}) TO ${literal(file)} (FORMAT parquet)`,
    )
    await using session = await openParquetSession(access, ['delta'])
    await session.run(
      `CREATE TEMP VIEW lake_row AS ${selection(`read_parquet(${literal(file)})`, reading.columns, 1)}`,
    )
    await session.run(
      `CREATE TEMP VIEW delta_row AS ${selection(kernelScan(reading), reading.columns, oneIn)}`,
    )
    const surplus = await surplusOf(session, 'lake_row', 'delta_row')
    const missing = await surplusOf(session, 'delta_row', 'lake_row')
    return {
      oneIn,
      rowsCompared: written,
      onlyInLake: surplus.rows,
      onlyInDelta: missing.rows,
      examplesInLake: surplus.examples,
      examplesInDelta: missing.examples,
    }
  } finally {
    await rm(file, { force: true })
  }
}

/** A row's hash decides whether it is in the sample, so that both sides have the same rows in it. */
function selection(relation: string, columns: readonly ComparedColumn[], oneIn: number): string {
  const values = columns.map(
    ({ name, sql }) => `CAST(${identifier(name)} AS ${comparable(sql)}) AS ${identifier(name)}`,
  )
  const names = columns.map(({ name }) => identifier(name)).join(', ')
  const sample = oneIn === 1 ? '' : ` WHERE hash(${names}) % ${oneIn} = 0`
  return `SELECT ${names} FROM (SELECT ${values.join(', ')} FROM ${relation})${sample}`
}

/** Variants can't be sorted or grouped. */
function comparable(sql: string): string {
  return sql === 'VARIANT' ? 'VARCHAR' : sql
}

async function surplusOf(
  session: Lake['session'],
  left: string,
  right: string,
): Promise<{ readonly rows: number; readonly examples: readonly string[] }> {
  const rows = await session.query(
    z.object({ row: z.string(), total: z.bigint() }),
    `WITH surplus AS MATERIALIZED (FROM ${left} EXCEPT ALL FROM ${right})
     SELECT to_json(surplus)::VARCHAR AS row, (SELECT count(*) FROM surplus) AS total FROM surplus LIMIT ${EXAMPLES}`,
  )
  return { rows: Number(rows[0]?.total ?? 0n), examples: rows.map(({ row }) => row) }
}
