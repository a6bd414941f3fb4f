/**
 * DuckDB decodes 2,048 rows at once, however wide they are, and its Node package takes them as they are. So a file is looked
 * at before it is read, and one that would take too much is refused with what to do, instead of the process being killed.
 */
import { z } from 'zod'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { identifier, literal } from '../../../platform/duckdb/sql.ts'
import { BadFile } from './errors.ts'

const VECTOR_ROWS = 2_048

export interface ParquetFile {
  readonly name: string
  readonly uri: string
}

const chunkSchema = z.object({
  row_group: z.bigint(),
  rows: z.bigint(),
  bytes: z.bigint(),
  /** Columns of texts or bytes that stand in a dictionary so large that its longest entry, repeated, could be too much. */
  dictionaries: z.array(z.string()),
})
const widestSchema = z.object({ vector: z.bigint().nullable(), bytes: z.number().nullable() })

interface Look {
  /** DuckDB's types of the columns. */
  readonly types: ReadonlyMap<string, string>
  readonly fromRow: number
  readonly maxBytes: number
}

/** @throws BadFile `wide_row_group` where a vector of rows would take more than a row may */
export async function assertReadable(
  session: DuckDbSession,
  file: ParquetFile,
  { types, fromRow, maxBytes }: Look,
): Promise<void> {
  const groups = await session.query(
    chunkSchema,
    `SELECT row_group_id AS row_group, max(row_group_num_rows) AS rows, sum(total_uncompressed_size)::BIGINT AS bytes,
       coalesce(list(DISTINCT path_in_schema) FILTER (
         type = 'BYTE_ARRAY' AND encodings LIKE '%DICTIONARY%' AND NOT contains(path_in_schema, ', ')
         AND total_uncompressed_size > ${Math.floor(maxBytes / VECTOR_ROWS)}), []) AS dictionaries
     FROM parquet_metadata(${literal(file.uri)}) GROUP BY row_group_id ORDER BY row_group_id`,
  )
  for (const { row_group, rows, bytes } of groups) {
    const share = Math.min(1, VECTOR_ROWS / Math.max(1, Number(rows)))
    if (Number(bytes) * share > maxBytes) throw tooWide(file, `row group ${row_group}`, Number(bytes) * share)
  }
  const widths = [...new Set(groups.flatMap((group) => group.dictionaries))].flatMap((name) =>
    widthOf(name, types.get(name)),
  )
  if (widths.length > 0) await assertTexts(session, file, { widths, fromRow, maxBytes })
}

/** A dictionary counts once in the sizes that a file tells, and in a vector as often as it is used: so it is counted out. */
async function assertTexts(
  session: DuckDbSession,
  file: ParquetFile,
  {
    widths,
    fromRow,
    maxBytes,
  }: { readonly widths: readonly string[]; readonly fromRow: number; readonly maxBytes: number },
): Promise<void> {
  const [widest] = await session.query(
    widestSchema,
    `SELECT vector, bytes::DOUBLE AS bytes FROM (
       SELECT file_row_number // ${VECTOR_ROWS} AS vector, sum(${widths.join(' + ')}) AS bytes
       FROM read_parquet(${literal(file.uri)}, hive_partitioning = false) WHERE file_row_number >= ${fromRow} GROUP BY vector
     ) ORDER BY bytes DESC LIMIT 1`,
  )
  if (widest?.bytes != null && widest.bytes > maxBytes)
    throw tooWide(file, `rows from ${Number(widest.vector ?? 0n) * VECTOR_ROWS} on`, widest.bytes)
}

/** By functions that work on the dictionary as it is; a cast would make every text of a vector first. */
function widthOf(name: string, type: string | undefined): readonly string[] {
  if (type === 'VARCHAR') return [`coalesce(strlen(${identifier(name)}), 0)`]
  return type === 'BLOB' ? [`coalesce(octet_length(${identifier(name)}), 0)`] : []
}

function tooWide({ name }: ParquetFile, where: string, bytes: number): BadFile {
  const mebibytes = Math.round(bytes / 2 ** 20)
  return new BadFile('wide_row_group', `${name}, ${where}: DuckDB would decode ${mebibytes} MiB at once.`)
}
