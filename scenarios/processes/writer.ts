import { setTimeout as sleep } from 'node:timers/promises'
import type { Arm, Backend, BackendEnvironment, LakeTable } from '../../backends/backend.ts'
import type { Attempt, Coordinator } from '../../pipeline/coordination/coordinator.ts'
import { openCoordinator } from '../../pipeline/coordination/open.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import type { Channel } from './serve.ts'
import { serve } from './serve.ts'
import type { WriterDone, WriterRequest } from './writer-protocol.ts'
import { writerRequestSchema } from './writer-protocol.ts'

type Connect = (
  arm: Arm,
  environment: BackendEnvironment,
  settings: Readonly<Record<string, unknown>>,
) => Promise<Backend>

/** What is told of a failure: the kind of a conflict stands at the beginning of an engine's words. */
const FAILURE_CHARACTERS = 500

/** One of several writers: everything up to `ready` is its floor, everything from `go` to `done` is timed. */
export function serveWriter(connect: Connect): Promise<void> {
  return serve(writerRequestSchema, async (request, channel) => {
    await using backend = await connect(request.arm, request.environment, request.settings)
    await using table = await backend.open(request.table)
    if (request.seed !== null) await table.apply(request.seed, 'append', { runId: 'seed', batchIndex: 0 })
    const attempts: Attempt[] = []
    await using coordinator = openCoordinator(request.coordination, {
      postgres: request.environment.catalog.postgres,
      replay: request.replay,
      observe: (attempt) => attempts.push(attempt),
    })
    const { processes, settings, versions } = backend
    await channel.emit({
      event: 'ready',
      processes: { writer: process.pid, ...processes },
      settings: { ...settings, coordination: request.coordination, replay: request.replay },
      versions,
    })
    await channel.waitFor('go')
    const startMs = performance.now()
    const writer = { request, table, coordinator, channel, startMs, backend, attempts }
    await channel.emit(await carryOut(writer))
    await channel.waitFor('exit')
  })
}

interface Writer {
  readonly request: WriterRequest
  readonly table: LakeTable
  readonly backend: Backend
  readonly coordinator: Coordinator
  readonly channel: Channel
  readonly startMs: number
  readonly attempts: Attempt[]
}

async function carryOut(writer: Writer): Promise<WriterDone> {
  const { work } = writer.request
  const count = work.kind === 'write' ? work.batches.length : work.rounds
  const commits: WriterDone['commits'] = []
  const abandoned: string[] = []
  for (let index = 0; index < count; index += 1) {
    const beganMs = performance.now()
    try {
      const batchesTogether = await (work.kind === 'write' ? write(writer, index) : maintain(writer))
      const endedMs = performance.now()
      const latencyMs = endedMs - beganMs
      commits.push({ endedAtMs: endedMs - writer.startMs, latencyMs, batchesTogether })
    } catch (error) {
      abandoned.push(toldOf(error))
    }
    await writer.channel.emit({ event: 'progress', done: index + 1, total: count })
    if (work.kind === 'maintain') await sleep(work.pauseMs)
  }
  const attempts = writer.attempts.map(({ durationMs, batches, error }) => ({
    durationMs,
    batches,
    failure: error === null ? null : toldOf(error),
  }))
  return { event: 'done', wallMs: performance.now() - writer.startMs, commits, attempts, abandoned }
}

/** Returns how many batches the commit brought together. */
async function write({ request, table, backend, coordinator }: Writer, index: number): Promise<number> {
  const { work, uri } = request
  if (work.kind !== 'write') return 0
  const batch = work.batches[index] ?? { parts: [] }
  const { batchesTogether } = await coordinator.apply(
    { handle: table, uri, concurrentUpserts: backend.capabilities.concurrentUpserts },
    {
      batch,
      mode: work.mode,
      tag: { runId: work.runId, batchIndex: index },
      columns: [],
      partitions: work.partitions,
    },
  )
  return batchesTogether
}

async function maintain({ request, table, coordinator, attempts }: Writer): Promise<number> {
  await coordinator.alone(request.uri, async () => {
    const startedAtMs = performance.now()
    const tell = (error: unknown) =>
      attempts.push({ batches: 0, startedAtMs, durationMs: performance.now() - startedAtMs, error })
    await table.maintain().then(
      () => tell(null),
      (error: unknown) => {
        tell(error)
        throw error
      },
    )
  })
  return 1
}

function toldOf(error: unknown): string {
  const code = error instanceof LakeduelError ? error.code : 'UNEXPECTED'
  return `${code}: ${messageOf(error).slice(0, FAILURE_CHARACTERS)}`
}
