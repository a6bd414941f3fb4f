import { type FilePlan, liveRows } from './file-plan.ts'
import type { TablePlan } from './plan.ts'

/** Rough figures of docs/migrate.md, which says where they come from: they tell minutes from hours, no more. */
const FOOTER_MS = 4
const REGISTER_MS_PER_FILE = 1
const REWRITE_BYTES_PER_S = 30e6
const VERIFY_BYTES_PER_S = 60e6
/** Of a scan over S3. */
const BYTES_PER_REQUEST = 4 * 2 ** 20
const KEYS_PER_LIST = 1_000
const BASE_MEMORY_BYTES = 300 * 2 ** 20
const MEMORY_BYTES_PER_FILE = 4_096

export interface Estimate {
  readonly durationMs: number
  /** Of the storage, until the proof; none where the table lies on a disk. */
  readonly requests: number
  /** What a registration takes; a rewrite is held within --max-memory. */
  readonly memoryBytes: number
  /** What will be written anew. */
  readonly bytesToWrite: number
}

export function estimateOf({ files, present }: TablePlan): Estimate {
  const rewritten = files.filter(({ action }) => action === 'rewrite')
  const rewriteBytes = sum(rewritten.map(({ footer }) => footer.bytes))
  const allBytes = sum(files.map(({ footer }) => footer.bytes))
  const deletes = files.filter(({ action }) => action === 'register-and-delete').length
  return {
    durationMs:
      files.length * (FOOTER_MS + REGISTER_MS_PER_FILE) +
      (rewriteBytes / REWRITE_BYTES_PER_S + allBytes / VERIFY_BYTES_PER_S) * 1000,
    requests: Math.ceil(
      present.size / KEYS_PER_LIST + files.length + deletes * 2 + (rewriteBytes * 2) / BYTES_PER_REQUEST,
    ),
    memoryBytes: BASE_MEMORY_BYTES + files.length * MEMORY_BYTES_PER_FILE,
    bytesToWrite: rewriteBytes,
  }
}

export interface ActionFigures {
  readonly files: number
  readonly bytes: number
  readonly rows: number
}

/** Files, bytes and live rows by what becomes of them. */
export function figuresByAction(files: readonly FilePlan[]): ReadonlyMap<FilePlan['action'], ActionFigures> {
  const byAction = Map.groupBy(files, ({ action }) => action)
  return new Map(
    [...byAction].map(([action, some]) => [
      action,
      {
        files: some.length,
        bytes: sum(some.map(({ footer }) => footer.bytes)),
        rows: sum(some.map(liveRows)),
      },
    ]),
  )
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
