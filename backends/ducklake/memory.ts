import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import type { DuckLakeSettings } from './settings.ts'

/** Bytes of DuckDB's memory for each byte that a statement moves, on top of what any statement needs. */
const MEMORY_PER_PAYLOAD = 4

/** What DuckDB takes for each column, whatever is in it: vectors of 2,048 values, and the pages of a writer. */
const COLUMN_BYTES = 192 * 1024

/** What a thread takes beside these, that reads the keys of a file. */
const READ_BYTES = 12 * 1024 * 1024

/**
 * What a thread of maintenance takes: some copies of the row group that it writes, and as much again that DuckDB doesn't count.
 * A second one saves a tenth of the time.
 */
const MAINTENANCE_THREAD_BYTES = 256 * 1024 * 1024

/** Rows that are about to be written, of a batch or of a table. */
export interface Load {
  readonly rows: number
  /** Uncompressed. */
  readonly payloadBytes: number
  readonly columns: number
}

/**
 * Fits DuckDB's bounds to what is about to be written. A partitioned write is flushed by rows, so the bytes that a thread
 * may buffer become rows by the rows' own width. And the engine takes what its limit allows: upload buffers of 100
 * partitions filled 500 MiB for a batch of 5 MiB, and worked as well in 150.
 */
export async function fitToLoad(
  session: DuckDbSession,
  { flushPayloadBytes, memoryLimitBytes, baseMemoryBytes }: DuckLakeSettings,
  { rows, payloadBytes, columns }: Load,
): Promise<void> {
  const bytesPerRow = Math.max(1, payloadBytes / Math.max(1, rows))
  const flushRows = Math.max(1, Math.floor(flushPayloadBytes / bytesPerRow))
  const neededBytes = baseMemoryBytes + COLUMN_BYTES * columns + MEMORY_PER_PAYLOAD * payloadBytes
  const memoryBytes = Math.min(memoryLimitBytes, neededBytes)
  await session.set('partitioned_write_flush_threshold', flushRows)
  await session.set('memory_limit', `${memoryBytes}B`)
}

/** Lets DuckDB look for keys in so many files at once, as far as its memory goes, and returns in how many. */
export async function fitToReads(
  session: DuckDbSession,
  { memoryLimitBytes, baseMemoryBytes }: DuckLakeSettings,
  { payloadBytes, columns }: Load,
  files: number,
): Promise<number> {
  const heldBytes = baseMemoryBytes + COLUMN_BYTES * columns + MEMORY_PER_PAYLOAD * payloadBytes
  const threads = Math.max(1, Math.min(files, Math.floor((memoryLimitBytes - heldBytes) / READ_BYTES)))
  await session.set('memory_limit', `${Math.min(memoryLimitBytes, heldBytes + threads * READ_BYTES)}B`)
  return threads
}

/** Fits DuckDB to the pod for rewriting files of any size, whatever it was fitted to before. */
export async function fitToMaintenance(
  session: DuckDbSession,
  { threads, memoryLimitBytes }: DuckLakeSettings,
): Promise<void> {
  const affordable = Math.floor(memoryLimitBytes / MAINTENANCE_THREAD_BYTES)
  await session.set('threads', Math.min(threads, Math.max(1, affordable)))
  await session.set('memory_limit', `${memoryLimitBytes}B`)
}
