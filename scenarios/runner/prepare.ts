import { totalmem } from 'node:os'
import type { Arm, Format, StagedBatch } from '../../backends/backend.ts'
import { createPod } from '../../platform/pods/mechanism.ts'
import { treeUsage } from '../../platform/storage/tree.ts'
import type { Expectation, LoaderRequest, StageRequest } from '../processes/protocol.ts'
import { loaderDoneSchema, readyEventSchema, stageDoneSchema } from '../processes/protocol.ts'
import type { Dataset } from '../scenario.ts'
import type { Waiting } from './child.ts'
import { Child } from './child.ts'
import { CellFailed } from './failure.ts'
import { environmentOf, type Place, placeOf, type Surroundings } from './surroundings.ts'

/** What the cells of a scenario share. */
export interface Prepared {
  readonly dataset: Dataset
  /** The staged batches that cells apply. */
  readonly batches: readonly StagedBatch[]
  readonly expectation: Expectation
  readonly initialRows: number
  readonly initialPayloadBytes: number
  readonly initialStagedBytes: number
  /** What cells start from, by format. */
  readonly tables: ReadonlyMap<Format, PreparedTable>
  /** Bytes below each of those places. */
  readonly storedBytes: Readonly<Record<string, number>>
}

export interface PreparedTable {
  readonly place: Place
  /** Why the table could not be made, which is then the result of every cell that needs it; null when it was made. */
  readonly failure: CellFailed | null
}

export interface Preparing extends Waiting {
  /** A step with what it has done so far. */
  readonly onStep: (what: string, done: number, total: number) => void
}

/** Preparing is not measured, so it may take what the machine has to spare. */
const PREPARING_MEMORY_BYTES = Math.floor(totalmem() / 2)

/** The arm that makes the table that all cells of a format start from. */
const MAKERS: Readonly<Record<Format, Arm>> = { ducklake: 'ducklake/merge', delta: 'delta/merge-tuned' }

/** Stages the data of a scenario and makes one table for each format, compacted, for cells to start from copies of it. */
export async function prepare(
  surroundings: Surroundings,
  name: string,
  dataset: Dataset,
  formats: readonly Format[],
  preparing: Preparing,
): Promise<Prepared> {
  const during = (what: string): Waiting => {
    preparing.onStep(what, 0, 1)
    return { ...preparing, onProgress: (done, total) => preparing.onStep(what, done, total) }
  }
  const { initial, batches, expectation } = await stage(
    surroundings,
    name,
    dataset,
    during('staging the data'),
  )
  const tables = new Map<Format, PreparedTable>()
  const storedBytes: Record<string, number> = {}
  for (const format of formats) {
    const place = placeOf(surroundings, `prepared/${name}/${format}`)
    const making = makeTable(
      surroundings,
      place,
      format,
      dataset,
      initial,
      during(`making the ${format} table`),
    )
    tables.set(format, { place, failure: await failureOf(making) })
    storedBytes[format] = (await treeUsage(place.storage)).bytes
  }
  return { dataset, batches, expectation, ...sizesOf(initial), tables, storedBytes }
}

async function failureOf(making: Promise<void>): Promise<CellFailed | null> {
  try {
    await making
    return null
  } catch (error) {
    if (error instanceof CellFailed) return error
    throw error
  }
}

function sizesOf(initial: readonly StagedBatch[]) {
  const parts = initial.flatMap((batch) => batch.parts)
  const total = (of: (part: (typeof parts)[number]) => number) =>
    parts.reduce((sum, part) => sum + of(part), 0)
  return {
    initialRows: total((part) => part.rows),
    initialPayloadBytes: total((part) => part.payloadBytes),
    initialStagedBytes: total((part) => part.bytes),
  }
}

async function stage(surroundings: Surroundings, name: string, dataset: Dataset, waiting: Waiting) {
  const place = placeOf(surroundings, `staged/${name}`)
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
  return { initial, batches, expectation }
}

async function makeTable(
  surroundings: Surroundings,
  place: Place,
  format: Format,
  dataset: Dataset,
  initial: readonly StagedBatch[],
  waiting: Waiting,
): Promise<void> {
  const base = {
    arm: MAKERS[format],
    environment: environmentOf(surroundings, place, PREPARING_MEMORY_BYTES),
    settings: {},
    table: dataset.table,
  }
  await runLoader(
    surroundings,
    { ...base, work: { kind: 'apply', batches: initial, mode: 'append', runId: 'initial' } },
    waiting,
  )
  await runLoader(surroundings, { ...base, work: { kind: 'maintain' } }, waiting)
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
