import { z } from 'zod'
import type { BackendEnvironment } from '../../backend.ts'

const MIB = 2 ** 20

/** How DuckDB merges. How the defaults were found: `docs/decisions/004-delta-settings.md`. */
export const duckDbShape = {
  threads: z.int().positive(),
  /** DuckDB's `memory_limit`: the buffer manager's, no cap of the process. */
  memoryLimitBytes: z.int().positive(),
  /** The `memory_limit` of an upsert of next to nothing; it grows with the batch and the files, up to `memoryLimitBytes`. */
  baseMemoryBytes: z.int().positive(),
  /** A batch of more payload is read from its parts again, through the scratch folder, instead of being held by DuckDB. */
  heldBatchBytes: z.int().nonnegative(),
  /** Files that are looked through or written at once, if they fit. Each occupies one of libuv's four threads. */
  parallelFiles: z.int().positive(),
  /** Small files of a partition that have to be written anew become one of about this size. */
  targetFileBytes: z.int().positive(),
  /** Of zstd. 1 is what delta-rs takes; 3, DuckDB's own, makes files of 7 % less for half as much time again. */
  compressionLevel: z.int().min(1).max(22),
  /** Bytes of an upload part; S3 takes no fewer than 5 MiB, and a smaller file is one request. */
  uploadPartBytes: z.int().min(5 * MIB),
  /** Upload parts in flight, of all files together. */
  uploadThreads: z.int().positive(),
  /** Whether DuckDB keeps the bytes of the key columns that it looked through for when the file is written anew. */
  externalFileCache: z.boolean(),
  /** Whether HTTP connections outlive a file handle. */
  httpConnectionCaching: z.boolean(),
}
export type DuckDbSettings = Readonly<z.infer<z.ZodObject<typeof duckDbShape>>>

/** What the sidecar holds, with delta-rs and the log of a table. */
const SIDECAR_BYTES = 176 * MIB
/** The share of the rest of a pod that DuckDB's buffer manager may use, beside Node and what DuckDB doesn't count. */
const BUFFER_SHARE = 0.5
const MIN_BUFFER_BYTES = 64 * MIB
const DEFAULT_BUDGET_BYTES = 1024 * MIB

export function duckDbDefaults({
  memoryBudgetBytes,
  threads,
}: Pick<BackendEnvironment, 'memoryBudgetBytes' | 'threads'>): DuckDbSettings {
  const restBytes = (memoryBudgetBytes ?? DEFAULT_BUDGET_BYTES) - SIDECAR_BYTES
  return {
    threads,
    memoryLimitBytes: Math.max(MIN_BUFFER_BYTES, Math.floor(restBytes * BUFFER_SHARE)),
    baseMemoryBytes: 96 * MIB,
    heldBatchBytes: 32 * MIB,
    parallelFiles: 3,
    targetFileBytes: 64 * MIB,
    compressionLevel: 1,
    uploadPartBytes: 5 * MIB,
    uploadThreads: 4,
    externalFileCache: false,
    httpConnectionCaching: true,
  }
}
