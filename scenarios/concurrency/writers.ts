import type { Arm, StagedBatch } from '../../backends/backend.ts'
import { formatOf } from '../../backends/backend.ts'
import { uriOf } from '../../platform/endpoints.ts'
import type { Phase } from '../../reports/schema.ts'
import type { WriterDone, WriterRequest } from '../processes/writer-protocol.ts'
import { writerDoneSchema } from '../processes/writer-protocol.ts'
import type { Place } from '../runner/surroundings.ts'
import type { Lab, Ready } from '../scenario.ts'
import { parameter } from '../scenario.ts'
import type { Shape } from './dataset.ts'
import { MODES, ownTable, partitionOf, TABLE } from './dataset.ts'
import type { CoordinationValue, Retry } from './plan.ts'

/** A caller that gives up too early would look as if the engine had lost rows. */
const REPLAY = { tries: 200, firstWaitMs: 20, longestWaitMs: 1_000 }

export interface Scene {
  readonly arm: Arm
  readonly shape: Shape
  readonly coordination: CoordinationValue
  readonly retry: Retry
  readonly place: Place
  /** The batches of all writers, one writer after the other. */
  readonly batches: readonly StagedBatch[]
  /** By writer, where each has a table of its own. */
  readonly seeds: readonly StagedBatch[]
}

export interface Written {
  readonly phase: Phase
  readonly writers: readonly WriterDone[]
  readonly maintainer: WriterDone | null
}

/** Starts all writers, lets them go at the same moment, and waits until the last of them is done. */
export async function writeAtOnce(lab: Lab, scene: Scene): Promise<Written> {
  lab.enter('start')
  const requests = requestsOf(lab, scene)
  const children = await Promise.all(
    requests.map((request) => lab.start('writer', request, lab.memoryCapBytes)),
  )
  const processes: Ready[] = []
  for (const child of children) processes.push(await lab.ready(child))
  const { phase, result } = await lab.measure('commit', processes, () => allDone(lab, processes))
  lab.enter('close')
  await Promise.all(children.map((child) => child.exit()))
  const { writers } = scene.shape
  return { phase, writers: result.done.slice(0, writers), maintainer: result.done[writers] ?? null }
}

async function allDone(
  { deadlineMs, signal }: Lab,
  processes: readonly Ready[],
): Promise<{ readonly wallMs: number; readonly done: readonly WriterDone[] }> {
  for (const { child } of processes) child.tell('go')
  const waiting = { deadlineMs, signal }
  const done = await Promise.all(processes.map(({ child }) => child.event(writerDoneSchema, waiting)))
  return { wallMs: Math.max(...done.map(({ wallMs }) => wallMs)), done }
}

function requestsOf(lab: Lab, scene: Scene): readonly WriterRequest[] {
  const writers = Array.from({ length: scene.shape.writers }, (_, writer) => writerOf(lab, scene, writer))
  const [first] = writers
  if (scene.shape.operation !== 'compaction-beside' || first === undefined) return writers
  const rounds = parameter(lab.parameters, 'maintenances')
  const pauseMs = parameter(lab.parameters, 'maintenancePauseMs')
  return [...writers, { ...first, work: { kind: 'maintain', rounds, pauseMs } }]
}

function writerOf(lab: Lab, scene: Scene, writer: number): WriterRequest {
  const { arm, shape, place, batches, coordination } = scene
  const environment = lab.environment(place, lab.memoryCapBytes)
  const inOwnTable = shape.target === 'own-table'
  const table = inOwnTable ? ownTable(writer) : TABLE
  return {
    arm,
    // Writers are many and processors few.
    environment: { ...environment, threads: 1 },
    settings: { ...lab.surroundings.settings[arm], ...settingsOf(scene) },
    table,
    uri: uriOf(place.storage, `${place.catalogSchema}/${table.name}`),
    coordination: coordination === 'tags' ? 'none' : coordination,
    replay: REPLAY,
    seed: inOwnTable ? (scene.seeds[writer] ?? null) : null,
    work: {
      kind: 'write',
      batches: batches.slice(writer * shape.batches, (writer + 1) * shape.batches),
      mode: MODES[shape.operation],
      runId: `writer-${writer}`,
      partitions: [partitionOf(shape.target, writer)],
    },
  }
}

/** Each engine's own names for how often it tries a commit; its defaults are those of its documentation. */
function settingsOf({ arm, retry, coordination }: Scene): Readonly<Record<string, unknown>> {
  if (formatOf(arm) === 'ducklake') {
    const retries =
      retry === 'default'
        ? { commitRetries: 10, commitRetryWaitMs: 100, commitRetryBackoff: 1.5 }
        : { commitRetries: 200, commitRetryWaitMs: 10, commitRetryBackoff: 1 }
    return { ...retries, postgresPoolConnections: 2, commitTags: coordination !== 'none' }
  }
  const maxCommitRetries = retry === 'default' ? 15 : 1_000
  return { maxCommitRetries, ...(arm === 'delta/deltalite' && { deltalite: { maxCommitRetries } }) }
}
