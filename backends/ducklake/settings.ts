import { z } from 'zod'
import { sessionSettings } from '../../platform/duckdb/session-settings.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { BackendEnvironment } from '../backend.ts'

const MIB = 1024 * 1024

/** Every setting of the backend, for both strategies. How the defaults were found: `docs/decisions/003-ducklake-settings.md`, and those of upserts into many partitions: `011-many-partitions.md`. */
const settingsSchema = z.strictObject({
  /** DuckDB's threads. */
  threads: z.int().positive(),
  /** DuckDB's `memory_limit`: the buffer manager's, no cap of the process. */
  memoryLimitBytes: z.int().positive(),
  /** The `memory_limit` of a batch of next to nothing; it grows with the batch's payload, up to `memoryLimitBytes`. */
  baseMemoryBytes: z.int().positive(),
  /** Parquet codec of the tables that this backend creates. */
  compression: z.enum(['zstd', 'snappy', 'lz4', 'gzip', 'uncompressed']),
  /** Byte bound of a row group that is written: what bounds both the writer and every later reader of wide rows. */
  rowGroupBytes: z.int().positive(),
  /** Open files of a partitioned write; more of them hold upload buffers at once, fewer split partitions into more files. */
  maxOpenFiles: z.int().positive(),
  /** Payload that a thread buffers before a partitioned write flushes; DuckDB counts rows, so it is divided by the bytes of a row. */
  flushPayloadBytes: z.int().positive(),
  /** Payload of the parts that one statement reads; a batch of more is applied in several statements of one transaction. */
  statementPayloadBytes: z.int().positive(),
  /** From so many partitions in a batch on, an upsert by `delete-insert` goes to all of them at once; see `fan-out.ts`. */
  fanOutPartitions: z.int().positive(),
  /** DuckDB's threads while it waits for the files of many partitions, and uploads at once. Each waits more than it works. */
  fanOutThreads: z.int().positive(),
  /** Deleted rows of a file, at most, that such an upsert keeps in Postgres instead of a delete file; 0 keeps none there. */
  inlinedDeleteRows: z.int().nonnegative(),
  /** Whether the parts of an append that are as the table's own files would be are copied beside those, and not read at all. */
  registerParts: z.boolean(),
  /** Bytes of an upload part; S3 takes no fewer than 5 MiB. */
  uploadPartBytes: z.int().min(5 * MIB),
  /** Upload parts in flight, of all files together. */
  uploadThreads: z.int().positive(),
  /** Rows below which DuckLake writes to Postgres instead of Parquet. 0, because a row may be megabytes of JSON. */
  inliningRowLimit: z.int().nonnegative(),
  /** Whether DuckDB keeps the bytes of files that it read; a loader reads each file once. */
  externalFileCache: z.boolean(),
  /** Whether Parquet footers are kept for the life of the session. */
  parquetMetadataCache: z.boolean(),
  /** Whether HTTP connections outlive a file handle. */
  httpConnectionCaching: z.boolean(),
  /** Postgres connections that are kept open. */
  postgresPoolConnections: z.int().positive(),
  /** DuckLake's retries of the metadata commit; logical conflicts are never retried by it. */
  commitRetries: z.int().nonnegative(),
  commitRetryWaitMs: z.int().nonnegative(),
  commitRetryBackoff: z.number().min(1),
  /**
   * Whether commits carry the tags of their batches. Without them DuckLake's own check of conflicts is all that keeps two
   * writers apart, and a batch that is applied again is applied twice: for measuring what DuckLake does by itself.
   */
  commitTags: z.boolean(),
  /** Share of deleted rows from which maintenance rewrites a file. */
  rewriteDeleteThreshold: z.number().min(0).max(1),
})
export type DuckLakeSettings = Readonly<z.infer<typeof settingsSchema>>

/** What the settings depend on. */
type SettingsEnvironment = Pick<BackendEnvironment, 'threads' | 'memoryBudgetBytes' | 'scratchDir'> & {
  readonly storage: Pick<BackendEnvironment['storage'], 'kind'>
}

/** The share of a pod's memory that DuckDB's buffer manager may use; the rest is for Node and what DuckDB doesn't count. */
const BUFFER_SHARE = 0.5
const DEFAULT_BUDGET_BYTES = 1024 * MIB

/**
 * The defaults for an environment with the overrides on top.
 * @throws LakeduelError `CONFIG_INVALID` for an unknown key or a bad value
 */
export function settingsFor(
  environment: SettingsEnvironment,
  overrides: Readonly<Record<string, unknown>>,
): DuckLakeSettings {
  const parsed = settingsSchema.safeParse({ ...defaultsFor(environment), ...overrides })
  if (parsed.success) return parsed.data
  throw new LakeduelError('CONFIG_INVALID', `DuckLake settings: ${z.prettifyError(parsed.error)}`, {
    facts: { overrides: Object.keys(overrides) },
    remedy: `The settings are ${Object.keys(settingsSchema.shape).join(', ')}.`,
  })
}

function defaultsFor(environment: SettingsEnvironment): DuckLakeSettings {
  const budgetBytes = environment.memoryBudgetBytes ?? DEFAULT_BUDGET_BYTES
  return {
    threads: environment.threads,
    memoryLimitBytes: Math.floor(budgetBytes * BUFFER_SHARE),
    baseMemoryBytes: 96 * MIB,
    compression: 'zstd',
    rowGroupBytes: 16 * MIB,
    maxOpenFiles: 100,
    flushPayloadBytes: 32 * MIB,
    statementPayloadBytes: 64 * MIB,
    fanOutPartitions: 16,
    fanOutThreads: 16,
    inlinedDeleteRows: 1_000,
    registerParts: true,
    uploadPartBytes: 5 * MIB,
    uploadThreads: 4,
    inliningRowLimit: 0,
    externalFileCache: false,
    parquetMetadataCache: true,
    httpConnectionCaching: true,
    postgresPoolConnections: 4,
    commitRetries: 10,
    commitRetryWaitMs: 100,
    commitRetryBackoff: 1.5,
    commitTags: true,
    rewriteDeleteThreshold: 0,
  }
}

/** The settings as DuckDB and its DuckLake name them. */
export function duckDbSettings(
  settings: DuckLakeSettings,
  environment: SettingsEnvironment,
): Readonly<Record<string, string | number | boolean>> {
  return {
    ...sessionSettings(settings, environment),
    partitioned_write_max_open_files: settings.maxOpenFiles,
    pg_pool_max_connections: settings.postgresPoolConnections,
    ducklake_max_retry_count: settings.commitRetries,
    ducklake_retry_wait_ms: settings.commitRetryWaitMs,
    ducklake_retry_backoff: settings.commitRetryBackoff,
  }
}

/** The options that a table keeps in the catalog, so that whoever writes it later writes it alike. */
export function tableOptions(settings: DuckLakeSettings): Readonly<Record<string, string>> {
  return {
    parquet_compression: settings.compression,
    parquet_row_group_size_bytes: `${settings.rowGroupBytes}B`,
    data_inlining_row_limit: String(settings.inliningRowLimit),
  }
}
