/**
 * Applies one batch exactly once, in halves where a pod can't take it whole.
 *
 * The rows of a batch have an order, so how far it is applied is one number: the rows from its start. A slice is committed
 * with a tag of the batch's own stream, (run `<run>/<batch>`, index = the row it ends before), atomically with its rows.
 * Whoever goes on after a kill asks for that number and starts there. The last commit carries the batch's own tag.
 */
import type { z } from 'zod'
import type { ApplyMode, CommitTag, StagedBatch } from '../../backends/backend.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { Applied, LoadRequest, LoadTarget, Progress, Sliced } from './protocol.ts'
import { appliedSchema, progressSchema, slicedSchema } from './protocol.ts'

/** Carries out a request in a load process, a fresh one when the last one died. */
export type Carry = <T>(request: LoadRequest, result: z.ZodType<T>) => Promise<T>

export interface BatchWork {
  readonly target: LoadTarget
  readonly batch: StagedBatch
  readonly mode: ApplyMode
  readonly tag: CommitTag
  /** Where slices are staged: a URI that ends in a slash. */
  readonly slicePrefix: string
  /** How often it was tried in vain, maybe for want of memory, which a killed process doesn't tell: each halves what is begun with. */
  readonly failedTries: number
}

/** A row that alone is too much for the pod. */
export interface UnloadableRow {
  /** Counted from the batch's first. */
  readonly row: number
  readonly key: Sliced['firstKey']
  readonly payloadBytes: number
  readonly partUri: string
  readonly reason: string
}

export interface BatchOutcome {
  readonly applied: Applied
  /** Whether the pod could not take it whole. */
  readonly sliced: boolean
  readonly unloadable: readonly UnloadableRow[]
}

export async function applyBatch(work: BatchWork, carry: Carry): Promise<BatchOutcome> {
  const rows = work.batch.parts.reduce((sum, part) => sum + part.rows, 0)
  const whole = await applyWhole(work, rows, carry)
  if (whole !== null && whole.slicedThrough === null) return { applied: whole, sliced: false, unloadable: [] }
  // The process may have been killed after it had committed, so what is stored decides, not what was heard.
  const { applied, slicedThrough } = await progress(work, carry)
  const unloadable = applied ? [] : await applySlices(work, rows, slicedThrough ?? 0, carry)
  return { applied: await apply(work, { parts: [] }, work.tag, carry), sliced: true, unloadable }
}

/** Null when the pod could not take it. */
async function applyWhole(work: BatchWork, rows: number, carry: Carry): Promise<Applied | null> {
  if (work.failedTries > 0 && rows > 1) return null
  try {
    return await apply(work, work.batch, work.tag, carry, { unlessSlicedAs: sliceRunId(work.tag) })
  } catch (error) {
    if (!isOutOfMemory(error) || rows === 0) throw error
    return null
  }
}

/** Halves what is left whenever the pod can't take a slice, down to one row, and returns the rows that it can't take at all. */
async function applySlices(
  work: BatchWork,
  rows: number,
  from: number,
  carry: Carry,
): Promise<readonly UnloadableRow[]> {
  const unloadable: UnloadableRow[] = []
  let next = from
  let size = Math.ceil((rows - from) / 2 ** Math.max(1, work.failedTries))
  while (next < rows) {
    const toRow = Math.min(rows, next + size)
    const sliced = await slice(work, next, toRow, carry)
    const outcome = await applySlice(work, sliced, { fromRow: next, toRow }, carry)
    if (outcome.failure === null) {
      next = outcome.through
      continue
    }
    size = Math.max(1, Math.floor((toRow - next) / 2))
    if (toRow - next > 1) continue
    unloadable.push(unloadableRow(next, sliced, outcome.failure))
    // Its place is taken without it, so that the slices after it still follow one another.
    const passed = await applySlice(work, NO_ROWS, { fromRow: next, toRow }, carry)
    if (passed.failure !== null) throw passed.failure
    next = passed.through
  }
  return unloadable
}

const NO_ROWS: Sliced = { batch: { parts: [] }, firstKey: null }

interface SliceOutcome {
  /** The row that the batch is applied through now. */
  readonly through: number
  /** Why the pod could not take the slice, or null. */
  readonly failure: unknown
}

async function applySlice(
  work: BatchWork,
  { batch }: Sliced,
  { fromRow, toRow }: { readonly fromRow: number; readonly toRow: number },
  carry: Carry,
): Promise<SliceOutcome> {
  try {
    await apply(work, batch, { runId: sliceRunId(work.tag), batchIndex: toRow }, carry, { fromRow })
    return { through: toRow, failure: null }
  } catch (error) {
    const moved = error instanceof LakeduelError && error.code === 'SLICE_MOVED'
    if (!moved && !isOutOfMemory(error)) throw error
    // What is stored decides, not what was heard: the process may have been killed after its commit.
    const through = (await progress(work, carry)).slicedThrough ?? 0
    return through > fromRow ? { through, failure: null } : { through: fromRow, failure: error }
  }
}

function progress({ target, tag }: BatchWork, carry: Carry): Promise<Progress> {
  return carry({ verb: 'progress', target, tag, slicedAs: sliceRunId(tag) }, progressSchema)
}

function slice(work: BatchWork, fromRow: number, toRow: number, carry: Carry): Promise<Sliced> {
  const { batch, slicePrefix: prefix, target } = work
  return carry({ verb: 'slice', batch, fromRow, toRow, prefix, keyColumns: target.primaryKey }, slicedSchema)
}

/** A batch without rows commits its tag alone, which an append does in every backend. */
function apply(
  work: BatchWork,
  batch: StagedBatch,
  tag: CommitTag,
  carry: Carry,
  {
    unlessSlicedAs = null,
    fromRow = null,
  }: { readonly unlessSlicedAs?: string | null; readonly fromRow?: number | null } = {},
): Promise<Applied> {
  const mode = batch.parts.length === 0 ? 'append' : work.mode
  return carry(
    { verb: 'apply', target: work.target, batch, mode, tag, unlessSlicedAs, fromRow },
    appliedSchema,
  )
}

function sliceRunId({ runId, batchIndex }: CommitTag): string {
  return `${runId}/${batchIndex}`
}

function unloadableRow(row: number, { batch, firstKey }: Sliced, error: unknown): UnloadableRow {
  const [part] = batch.parts
  return {
    row,
    key: firstKey,
    payloadBytes: part?.payloadBytes ?? 0,
    partUri: part?.uri ?? '',
    reason: error instanceof Error ? error.message : String(error),
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof LakeduelError && error.code === 'ENGINE_OUT_OF_MEMORY'
}
