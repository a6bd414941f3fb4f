import type { Job } from './jobs.ts'
import { bytesOf } from './jobs.ts'
import type { DuckDbSettings } from './settings.ts'

const MIB = 2 ** 20

/** Payload bytes in a stored byte, at most, where only an estimate is needed; JSON text has 4 to 8. */
const STORED_COMPRESSION = 8
/** A row group is held as it is read and as it is written. */
const ROW_GROUPS_HELD = 2
/** A row that is wider than that is held in pages, vectors and buffers of its own besides. */
const ROWS_HELD = 4
/** What a job holds whatever it writes: pages, dictionaries, an upload buffer. */
const JOB_BASE_BYTES = 13 * MIB
/** DuckDB's bytes, and those that it doesn't count, for each payload byte of a batch that it holds. */
const MEMORY_PER_PAYLOAD = 4

export interface MemoryPlan {
  readonly memoryLimitBytes: number
  /** Jobs that fit beside one another. */
  readonly parallelJobs: number
}

/** What of a batch counts for memory. */
export interface BatchSize {
  /** What DuckDB holds of it. */
  readonly heldBytes: number
  readonly bytesPerRow: number
}

/** Divides the memory that DuckDB may use between the batch and the files that are written at once. */
export function planMemory(
  { memoryLimitBytes, baseMemoryBytes, parallelFiles }: DuckDbSettings,
  jobs: readonly Job[],
  batch: BatchSize,
  rowGroupBytes: number,
): MemoryPlan {
  const jobBytes = Math.max(JOB_BASE_BYTES, ...jobs.map((job) => jobMemory(job, batch, rowGroupBytes)))
  const batchBytes = MEMORY_PER_PAYLOAD * batch.heldBytes
  const free = memoryLimitBytes - Math.min(batchBytes, memoryLimitBytes / 2)
  const parallelJobs = Math.max(1, Math.min(parallelFiles, Math.floor(free / jobBytes)))
  const wanted = baseMemoryBytes + batchBytes + parallelJobs * jobBytes
  return { memoryLimitBytes: Math.min(memoryLimitBytes, Math.ceil(wanted)), parallelJobs }
}

/** What DuckDB may use until the files are known that are written: a batch is dealt out as one job would write it. */
export function memoryToLoad(
  settings: DuckDbSettings,
  batch: BatchSize,
  rows: number,
  rowGroupBytes: number,
): number {
  const partition = { index: 0, text: null, condition: 'true', rows }
  const dealing: Job = { partition, files: [], takesBatch: true }
  return planMemory(settings, [dealing], batch, rowGroupBytes).memoryLimitBytes
}

/** The largest row group and the widest row of a job, by what its files and the batch are on average. */
function jobMemory(
  { partition, files, takesBatch }: Job,
  { bytesPerRow }: BatchSize,
  rowGroupBytes: number,
): number {
  const broughtBytes = takesBatch ? partition.rows * bytesPerRow : 0
  const payloadBytes = bytesOf(files) * STORED_COMPRESSION + broughtBytes
  const widest = Math.max(
    takesBatch ? bytesPerRow : 0,
    ...files.map(({ bytes, rows }) => (bytes * STORED_COMPRESSION) / Math.max(1, rows ?? 1)),
  )
  return JOB_BASE_BYTES + ROW_GROUPS_HELD * Math.min(payloadBytes, rowGroupBytes) + ROWS_HELD * widest
}
