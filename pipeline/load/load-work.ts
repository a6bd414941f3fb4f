import { createHash } from 'node:crypto'
import { z } from 'zod'
import { uriOf } from '../../platform/endpoints.ts'
import { openObjectStore } from '../../platform/storage/object-store.ts'
import { PARTITION_COLUMN } from '../extract/partitioning/buckets.ts'
import { faultPoint } from '../faults.ts'
import type { Surroundings } from '../lake.ts'
import { stagingOf } from '../lake.ts'
import type { AfterClaim } from '../queue/after-queue.ts'
import type { CommitResult, LoadClaim } from '../queue/load-queue.ts'
import type { Run } from '../state/model.ts'
import { applyBatch, type Carry } from './apply-batch.ts'
import { type LoadTarget, maintainedSchema, switchedSchema } from './protocol.ts'
import { fireTrigger } from './triggers.ts'

type BatchClaim = Extract<LoadClaim, { kind: 'batch' }>

export interface LoadedBatch {
  /** What is to be recorded of it. */
  readonly result: CommitResult
  /** Whether it was applied in slices, each in a commit of its own. */
  readonly sliced: boolean
}

export async function loadBatch(
  claimed: BatchClaim,
  surroundings: Surroundings,
  carry: Carry,
): Promise<LoadedBatch> {
  const { run, record, tag } = claimed
  const work = {
    target: { ...targetOf(run), columns: record.columns },
    batch: { parts: record.parts },
    mode: run.spec.applyAs,
    tag,
    slicePrefix: uriOf(surroundings.storage, `${slicesOf(run)}${tag.batchIndex}/`),
    failedTries: failedTriesOf(claimed),
  }
  const { unloadable, sliced } = await applyBatch(work, carry)
  await faultPoint('after-commit-before-ack')
  const deadRows = unloadable.map(({ key, row, payloadBytes, reason, partUri }) => ({
    key: key ?? { row },
    payloadBytes,
    reason,
    partUri,
  }))
  return { result: { rowsCommitted: record.rows - deadRows.length, deadRows }, sliced }
}

/** Told failures of other kinds have not to do with how much was applied at once. */
const MAYBE_FOR_MEMORY: ReadonlySet<string> = new Set(['ENGINE_OUT_OF_MEMORY', 'ENGINE_HUNG', 'SIDECAR_DIED'])

function failedTriesOf({ attempts, losses, lastFailure }: BatchClaim): number {
  return losses + (MAYBE_FOR_MEMORY.has(lastFailure?.code ?? '') ? attempts : 0)
}

/** What is left of a run when all of its batches are committed, apart from recording that it is done. */
export async function finishTable(
  { run, tag }: Extract<LoadClaim, { kind: 'finish' }>,
  carry: Carry,
): Promise<void> {
  if (run.spec.mode !== 'full-refresh') return
  const shadow = { ...targetOf(run), shadowOf: run.spec.destination.table, columns: run.columns }
  await carry({ verb: 'switch', shadow, tag }, switchedSchema)
  await faultPoint('after-switch-before-done')
}

/** What follows a run: each may be done twice, as when a worker dies between doing and recording it. */
export async function doAfter(
  { work, run }: AfterClaim,
  surroundings: Surroundings,
  carry: Carry,
): Promise<void> {
  switch (work.kind) {
    case 'trigger': {
      const { destination, mode } = run.spec
      const { rowsCommitted, rowsDead } = run.counts
      const message = { event: 'table-synced', runId: run.runId, mode, rowsCommitted, rowsDead } as const
      const { arm, lake, table } = destination
      return fireTrigger(work.trigger, { ...message, arm, lake, table }, surroundings.postgres)
    }
    case 'compaction':
      return compact(run, carry)
    case 'clean-up':
      return cleanUp(run, surroundings, carry)
  }
}

async function compact(run: Run, carry: Carry): Promise<void> {
  const { minFiles } = run.spec.compaction
  const [first] = run.columns
  if (minFiles === null || first === undefined) return
  const { table, primaryKey } = { ...targetOf(run), table: run.spec.destination.table }
  const target = { table, primaryKey, shadowOf: null, columns: run.columns, partitionBy: partitionBy(run) }
  await carry({ verb: 'maintain', target, minFiles }, maintainedSchema)
}

/** Removes what a run staged, but for rows that could not be loaded; of a cancelled refresh also the shadow. */
async function cleanUp(run: Run, surroundings: Surroundings, carry: Carry): Promise<void> {
  const { spec } = run
  if (run.status === 'cancelled' && spec.mode === 'full-refresh') {
    const drop = { verb: 'drop', table: shadowName(run), shadowOf: spec.destination.table } as const
    await carry(drop, z.unknown())
  }
  await using staged = openObjectStore(stagingOf(surroundings, run.runId))
  await staged.deletePrefix('')
  if (run.counts.rowsDead > 0) return
  await using store = openObjectStore(surroundings.storage)
  await store.deletePrefix(slicesOf(run))
}

function targetOf(run: Run): Omit<LoadTarget, 'columns'> {
  const { mode, primaryKey, destination } = run.spec
  const place =
    mode === 'full-refresh'
      ? { table: shadowName(run), shadowOf: destination.table }
      : { table: destination.table, shadowOf: null }
  return { ...place, primaryKey, partitionBy: partitionBy(run) }
}

function partitionBy({ partition }: Run): string | null {
  return partition === null || partition.mode === 'none' ? null : PARTITION_COLUMN
}

/** Of the run's own, so that what a cancelled run left is never taken for its successor's. */
function shadowName({ runId }: Run): string {
  return `lakeduel_next_${createHash('sha256').update(runId).digest('hex').slice(0, 16)}`
}

/** Beside the staged parts, since a row that could not be loaded outlives its run. */
function slicesOf({ runId }: Run): string {
  return `slices/${runId}/`
}
