import { randomUUID } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { BackendEnvironment } from '../../../../backends/backend.ts'
import { BatchStager, type FinishedBatch } from '../../../../pipeline/extract/batch-stager.ts'
import { type ExtractLimits, limitsFor } from '../../../../pipeline/extract/limits.ts'
import type { TablePlan } from '../../../../pipeline/extract/table-plan.ts'
import type { Row } from '../../../../pipeline/sources/source.ts'
import type { Storage } from '../../../../platform/endpoints.ts'

/** A prefix, a catalog schema and a folder of the test's own; the folder is to be removed in the end. */
export async function freshEnvironment(): Promise<BackendEnvironment> {
  const { s3, bucket, prefix, postgres, duckdbExtensions, sidecar } = inject('services')
  const id = randomUUID().slice(0, 8)
  return {
    storage: { kind: 's3', endpoint: s3, bucket, prefix: `${prefix}${id}/` },
    catalog: { postgres, schema: `staged_${id}` },
    duckdbExtensions,
    sidecar,
    scratchDir: await mkdtemp(join(tmpdir(), 'lakeduel-staged-')),
    memoryBudgetBytes: null,
    threads: 2,
  }
}

/** The rows as the row path stages them, in one batch. */
export async function stage(
  plan: TablePlan,
  rows: readonly Row[],
  storage: Storage,
  parts: Partial<ExtractLimits['parts']> = {},
): Promise<FinishedBatch> {
  const nextKey = () => `${randomUUID()}.parquet`
  const limits = limitsFor(null)
  const bounded = { ...limits, parts: { ...limits.parts, ...parts } }
  await using stager = new BatchStager({ plan, limits: bounded, storage, nextKey })
  await stager.add({ rows, cursor: 0 })
  const batch = await stager.finish()
  if (batch === null) throw new Error('no rows')
  return batch
}
