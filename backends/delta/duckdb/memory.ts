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
/** DuckDB's bytes for each payload byte of a batch that it holds. */
const MEMORY_PER_PAYLOAD = 2

export interface MemoryPlan {
  readonly memoryLimitBytes: number
  /** Jobs that fit beside one another. */
  readonly parallelJobs: number
}

/** Divides the memory that DuckDB may use between the batch and the files that are written at once. */
export function planMemory(
  { memoryLimitBytes, baseMemoryBytes, parallelFiles }: DuckDbSettings,
  jobs: readonly Job[],
  batchPayloadBytes: number,
  rowGroupBytes: number,
): MemoryPlan {
  const jobBytes = Math.max(JOB_BASE_BYTES, ...jobs.map((job) => heldBytes(job, rowGroupBytes)))
  const batchBytes = MEMORY_PER_PAYLOAD * batchPayloadBytes
  const free = memoryLimitBytes - Math.min(batchBytes, memoryLimitBytes / 2)
  const parallelJobs = Math.max(1, Math.min(parallelFiles, Math.floor(free / jobBytes)))
  const wanted = baseMemoryBytes + batchBytes + parallelJobs * jobBytes
  return { memoryLimitBytes: Math.min(memoryLimitBytes, wanted), parallelJobs }
}

/** The largest row group or the widest row of a job, by what its files are on average. */
function heldBytes({ files }: Job, rowGroupBytes: number): number {
  const payloadBytes = bytesOf(files) * STORED_COMPRESSION
  const widest = Math.max(
    0,
    ...files.map(({ bytes, rows }) => (bytes * STORED_COMPRESSION) / Math.max(1, rows ?? 1)),
  )
  return JOB_BASE_BYTES + ROW_GROUPS_HELD * Math.min(payloadBytes, rowGroupBytes) + ROWS_HELD * widest
}
