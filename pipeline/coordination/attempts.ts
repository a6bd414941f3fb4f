import type { ApplyMode, ApplyResult, LakeTable, TaggedBatch } from '../../backends/backend.ts'
import type { Attempt } from './coordinator.ts'

/** Calls the engine once, and tells of it. */
export async function attempt(
  table: LakeTable,
  batches: readonly TaggedBatch[],
  mode: ApplyMode,
  observe: (attempt: Attempt) => void,
): Promise<ApplyResult> {
  const startedAtMs = performance.now()
  const tell = (error: unknown) =>
    observe({ batches: batches.length, startedAtMs, durationMs: performance.now() - startedAtMs, error })
  try {
    const result = await table.applyTogether(batches, mode)
    tell(null)
    return result
  } catch (error) {
    tell(error)
    throw error
  }
}
