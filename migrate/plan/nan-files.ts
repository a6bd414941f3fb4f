import { z } from 'zod'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { escapedGlob, identifier, literalList } from '../../platform/duckdb/sql.ts'
import type { Footer } from '../parquet/footers.ts'
import type { ParquetNode } from '../parquet/schema.ts'
import type { FilePlan } from './file-plan.ts'

const FILES_PER_QUERY = 200
/** Between the names of a path in a footer, as DuckDB tells it. */
const SEPARATOR = ', '

/**
 * Registered files that hold NaN in a column with bounds, by URI.
 *
 * Parquet leaves it open where NaN stands, and writers leave it out of the bounds. To DuckDB, NaN is greater than any number:
 * it would skip such a file, or a row group in it, for `x > 5`. DuckDB itself writes no bounds for a column with NaN.
 * Only the columns in question are read.
 */
export async function filesWithNan(
  session: DuckDbSession,
  files: readonly FilePlan[],
): Promise<ReadonlySet<string>> {
  const suspects = files.filter(
    ({ action, footer }) => action.startsWith('register') && boundedFloats(footer).length > 0,
  )
  const found = new Set<string>()
  for (const group of Map.groupBy(suspects, ({ footer }) => footer.schema.id).values()) {
    for (let from = 0; from < group.length; from += FILES_PER_QUERY) {
      for (const uri of await query(session, group.slice(from, from + FILES_PER_QUERY))) found.add(uri)
    }
  }
  return found
}

function boundedFloats({ createdBy, schema, statistics }: Footer): readonly string[] {
  if (createdBy?.startsWith('DuckDB') === true) return []
  return statistics.floatBounds.flatMap((path) => expressionOf(schema.columns, path.split(SEPARATOR)) ?? [])
}

/** Values within lists and maps are no matter: nothing is skipped by their bounds. */
function expressionOf(nodes: readonly ParquetNode[], path: readonly string[]): string | null {
  const [name = '', ...rest] = path
  const node = nodes.find((candidate) => candidate.name === name)
  if (node === undefined || node.repeated || node.convertedType === 'LIST' || node.convertedType === 'MAP')
    return null
  if (rest.length === 0) return identifier(name)
  const inner = expressionOf(node.children, rest)
  return inner === null ? null : `${identifier(name)}.${inner}`
}

async function query(session: DuckDbSession, files: readonly FilePlan[]): Promise<readonly string[]> {
  const floats = new Set(files.flatMap(({ footer }) => boundedFloats(footer)))
  const paths = literalList(files.map(({ file }) => escapedGlob(file.uri)))
  const isNan = [...floats].map((expression) => `coalesce(isnan(r.${expression}), false)`).join(' OR ')
  const rows = await session.query(
    z.object({ uri: z.string() }),
    `SELECT r.__lakeduel_file AS uri FROM read_parquet(${paths}, hive_partitioning = false, filename = '__lakeduel_file') AS r
     GROUP BY ALL HAVING bool_or(${isNan})`,
  )
  return rows.map(({ uri }) => uri)
}
