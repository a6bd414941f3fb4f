import { join } from 'node:path'
import { z } from 'zod'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { literal } from '../../../platform/duckdb/sql.ts'
import type { LoadedBatch } from './batch.ts'
import { PLACE } from './batch.ts'

/** Rows of a batch that are to be written: for each partition that has some, a FROM item with the table's columns. */
export type BroughtRows = ReadonlyMap<number, string>

/** Payload that a thread buffers of all partitions before it writes; DuckDB counts rows. */
const FLUSH_BYTES = 16 * 2 ** 20
const PARTITION = 'lakeduel_partition'

/**
 * Those of a batch that DuckDB holds are read from there. Those of another are first dealt out by partition to files in
 * the scratch folder, in one pass over the parts: each partition's are then read once, and in row groups of few bytes.
 */
export async function broughtRows(
  session: DuckDbSession,
  batch: LoadedBatch,
  rowGroupBytes: number,
  scratchDir: string,
): Promise<BroughtRows> {
  const kept = await session.query(
    z.object({ index: z.int() }),
    `SELECT DISTINCT partition_index AS index FROM ${batch.keys}`,
  )
  const indexes = new Set(kept.map(({ index }) => index))
  const partitions = batch.partitions.filter(({ index }) => indexes.has(index))
  if (batch.isHeld) {
    return new Map(
      partitions.map(({ index, condition }) => [
        index,
        `(SELECT batch.* FROM ${batch.rows} AS batch SEMI JOIN ${batch.keys} AS kept ON kept.${PLACE} = batch.${PLACE} WHERE ${condition})`,
      ]),
    )
  }
  const folder = join(scratchDir, 'rows')
  if (partitions.length > 0) await dealOut(session, batch, rowGroupBytes, folder)
  return new Map(
    partitions.map(({ index }) => [
      index,
      `read_parquet(${literal(join(folder, `${PARTITION}=${index}`, '*.parquet'))}, hive_partitioning = false)`,
    ]),
  )
}

async function dealOut(
  session: DuckDbSession,
  { rows, keys, bytesPerRow }: LoadedBatch,
  rowGroupBytes: number,
  folder: string,
): Promise<void> {
  const flushRows = Math.max(1, Math.floor(FLUSH_BYTES / Math.max(1, bytesPerRow)))
  await session.set('partitioned_write_flush_threshold', flushRows)
  await session.run(
    `COPY (SELECT batch.*, kept.partition_index AS ${PARTITION} FROM ${rows} AS batch JOIN ${keys} AS kept ON kept.${PLACE} = batch.${PLACE})
     TO ${literal(folder)} (FORMAT parquet, PARTITION_BY (${PARTITION}), COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE_BYTES '${rowGroupBytes}B')`,
  )
}
