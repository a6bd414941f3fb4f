import { z } from 'zod'
import { literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from '../lake/lake.ts'
import { tableId } from '../lake/table-id.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import { DELETED, insertPositions } from '../register/deleted-rows.ts'
import type { RewrittenRange } from '../rewrite/ranges.ts'
import { POSITION } from '../rewrite/selection.ts'

/** Deletes all rows of registered files; DuckLake then lets the files themselves go, and writes nothing. */
export async function deleteRegistered(
  lake: Lake,
  name: TableName,
  uris: readonly string[],
): Promise<number> {
  if (uris.length === 0) return 0
  return lake.session.run(`DELETE FROM ${sqlName(name)} WHERE filename IN (${uris.map(literal).join(', ')})`)
}

/** Deletes rows of registered files by their positions. */
export async function deletePositions(
  lake: Lake,
  name: TableName,
  positions: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  if (positions.size === 0) return
  const { session } = lake
  await session.run(`CREATE OR REPLACE TEMP TABLE ${DELETED} (file VARCHAR, position BIGINT)`)
  for (const [uri, some] of positions) await insertPositions(session, uri, some)
  const uris = [...positions.keys()].map(literal).join(', ')
  const deleted = await session.run(
    `DELETE FROM ${sqlName(name)} WHERE filename IN (${uris}) AND (filename, ${POSITION}) IN (SELECT file, position FROM ${DELETED})`,
  )
  const expected = [...positions.values()].reduce((sum, some) => sum + some.length, 0)
  if (deleted !== expected)
    throw new Error(`${deleted} rows were deleted by position, and ${expected} were to be`)
}

/** Deletes the rows that files were rewritten to. */
export async function deleteRanges(
  lake: Lake,
  name: TableName,
  ranges: readonly RewrittenRange[],
): Promise<number> {
  let deleted = 0
  for (const range of ranges) {
    const files = await filesOfRange(lake, name, range)
    const within = files === null ? '' : ` AND filename IN (${files.map(literal).join(', ')})`
    deleted += await lake.session.run(
      `DELETE FROM ${sqlName(name)} WHERE rowid >= ${range.start} AND rowid < ${range.start + range.rows}${within}`,
    )
  }
  return deleted
}

/** The files that hold a range, so that no other is looked at; null where DuckLake has compacted them, or inlined rows. */
async function filesOfRange(
  lake: Lake,
  name: TableName,
  { start, rows }: RewrittenRange,
): Promise<readonly string[] | null> {
  const { session, metadata, dataPath } = lake
  const id = (await tableId(lake, name)) ?? -1n
  const found = await session.query(
    z.object({ path: z.string(), record_count: z.bigint() }),
    `SELECT CASE WHEN NOT f.path_is_relative THEN '' WHEN NOT t.path_is_relative THEN t.path
              WHEN NOT s.path_is_relative THEN s.path || t.path ELSE ${literal(dataPath)} || s.path || t.path END || f.path AS path, f.record_count
     FROM ${metadata}.ducklake_data_file AS f
     JOIN ${metadata}.ducklake_table AS t ON t.table_id = f.table_id AND t.end_snapshot IS NULL
     JOIN ${metadata}.ducklake_schema AS s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
     WHERE f.table_id = ${id} AND f.end_snapshot IS NULL AND f.row_id_start >= ${start} AND f.row_id_start < ${start + rows}`,
  )
  const counted = found.reduce((sum, { record_count }) => sum + record_count, 0n)
  return found.length > 0 && counted === rows ? found.map(({ path }) => path) : null
}
