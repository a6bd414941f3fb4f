import { z } from 'zod'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier, literalList } from '../../platform/duckdb/sql.ts'
import type { Footer } from '../parquet/footers.ts'
import { type FilePattern, patternsFor } from '../parquet/patterns.ts'
import type { ParquetNode } from '../parquet/schema.ts'
import type { FilePlan } from './file-plan.ts'

/** Of a folder that is read as a whole there may be more. */
const FILES_PER_QUERY = 200
/** Between the names of a path in a footer, as DuckDB tells it. */
const SEPARATOR = ', '

/**
 * Registered files that hold NaN in a column with bounds, by URI.
 *
 * Parquet leaves it open where NaN stands, and writers leave it out of the bounds. To DuckDB, NaN is greater than any number:
 * it would skip such a file, or a row group in it, for `x > 5`. DuckDB itself writes no bounds for a column with NaN.
 * Only the columns in question are read.
 * @param present every file of the storage that may lie beside them, by URI
 */
export async function filesWithNan(
  session: DuckDbSession,
  files: readonly FilePlan[],
  present: readonly string[],
): Promise<ReadonlySet<string>> {
  const suspects = files.filter(
    ({ action, footer }) => action.startsWith('register') && boundedFloats(footer).length > 0,
  )
  const found = new Set<string>()
  const kinds = Map.groupBy(suspects, ({ footer }) => `${footer.schema.id} ${boundedFloats(footer).join()}`)
  for (const group of kinds.values()) {
    const [first] = group
    const floats = first === undefined ? [] : boundedFloats(first.footer)
    for (const patterns of chunksOf(
      patternsFor(
        group.map(({ file }) => file.uri),
        present,
        false,
      ),
    )) {
      for (const uri of await query(session, patterns, floats)) found.add(uri)
    }
  }
  return found
}

function chunksOf(patterns: readonly FilePattern[]): readonly (readonly FilePattern[])[] {
  const chunks: FilePattern[][] = []
  let files = FILES_PER_QUERY
  for (const pattern of patterns) {
    const last = chunks.at(-1)
    files += pattern.files.length
    if (last === undefined || files > FILES_PER_QUERY) {
      chunks.push([pattern])
      files = pattern.files.length
    } else {
      last.push(pattern)
    }
  }
  return chunks
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

async function query(
  session: DuckDbSession,
  patterns: readonly FilePattern[],
  floats: readonly string[],
): Promise<readonly string[]> {
  const paths = literalList(patterns.map(({ glob }) => glob))
  const isNan = floats.map((expression) => `coalesce(isnan(r.${expression}), false)`).join(' OR ')
  const rows = await session.query(
    z.object({ uri: z.string() }),
    `SELECT r.__lakeduel_file AS uri FROM read_parquet(${paths}, hive_partitioning = false, filename = '__lakeduel_file') AS r
     GROUP BY ALL HAVING bool_or(${isNan})`,
  )
  return rows.map(({ uri }) => uri)
}
