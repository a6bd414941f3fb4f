import { totalmem } from 'node:os'
import type { Arm, Format, StagedBatch } from '../../backends/backend.ts'
import { createPod } from '../../platform/pods/mechanism.ts'
import { treeUsage } from '../../platform/storage/tree.ts'
import type { LoaderRequest, StageRequest } from '../processes/protocol.ts'
import { loaderDoneSchema, readyEventSchema, stageDoneSchema } from '../processes/protocol.ts'
import type { Dataset, PreparedDataset, PreparedTable } from '../scenario.ts'
import type { Waiting } from './child.ts'
import { Child } from './child.ts'
import { environmentOf, type Place, type Surroundings } from './surroundings.ts'

/** Preparing is not measured, so it may take what the machine has to spare. */
const PREPARING_MEMORY_BYTES = Math.floor(totalmem() / 2)

/** The arm that makes the table that all cells of a format start from. */
const MAKERS: Readonly<Record<Format, Arm>> = { ducklake: 'ducklake/merge', delta: 'delta/merge-tuned' }

/** A dataset with what its tables are made from. */
export interface StagedDataset extends PreparedDataset {
  readonly initial: readonly StagedBatch[]
}

/** Generates a dataset: stages its batches below a place, and computes what its table must hold after them. */
export async function stageDataset(
  surroundings: Surroundings,
  place: Place,
  dataset: Dataset,
  waiting: Waiting,
): Promise<StagedDataset> {
  const request: StageRequest = {
    environment: environmentOf(surroundings, place, null),
    table: dataset.table,
    sets: [
      { path: 'initial/', batches: dataset.initial },
      { path: 'update/', batches: dataset.batches },
    ],
    expected: dataset.expected,
    probes: dataset.probes,
  }
  await using pod = await createPod({ name: 'stage', memoryCapBytes: null })
  await using child = new Child(pod, surroundings.entries.stage, request)
  const { sets, expectation } = await child.event(stageDoneSchema, waiting)
  await child.exit()
  const [initial = [], batches = []] = sets
  return { dataset, initial, batches, expectation, ...sizesOf(initial) }
}

function sizesOf(initial: readonly StagedBatch[]) {
  const parts = initial.flatMap((batch) => batch.parts)
  return {
    initialRows: parts.reduce((sum, part) => sum + part.rows, 0),
    initialPayloadBytes: parts.reduce((sum, part) => sum + part.payloadBytes, 0),
    initialStagedBytes: parts.reduce((sum, part) => sum + part.bytes, 0),
  }
}

/** Makes the table of a dataset at a place, compacted, for cells to start from copies of it. */
export async function makeTable(
  surroundings: Surroundings,
  place: Place,
  format: Format,
  { dataset, initial }: StagedDataset,
  waiting: Waiting,
): Promise<PreparedTable> {
  const base = {
    arm: MAKERS[format],
    environment: environmentOf(surroundings, place, PREPARING_MEMORY_BYTES),
    settings: {},
    table: dataset.table,
  }
  await runLoader(
    surroundings,
    {
      ...base,
      work: { kind: 'apply', batches: initial, mode: 'append', runId: 'initial', firstBatchIndex: 0 },
    },
    waiting,
  )
  await runLoader(surroundings, { ...base, work: { kind: 'maintain' } }, waiting)
  return { place, storedBytes: (await treeUsage(place.storage)).bytes }
}

async function runLoader(
  surroundings: Surroundings,
  request: LoaderRequest,
  waiting: Waiting,
): Promise<void> {
  await using pod = await createPod({ name: 'prepare', memoryCapBytes: null })
  await using child = new Child(pod, surroundings.entries.loader, request)
  await child.event(readyEventSchema, waiting)
  child.tell('go')
  await child.event(loaderDoneSchema, waiting)
  await child.exit()
}
