import type {
  ApplyMode,
  ApplyResult,
  Arm,
  Backend,
  BackendEnvironment,
  LakeTable,
  StagedBatch,
} from '../../backends/backend.ts'
import { grouped } from '../data/slices.ts'
import type { LoaderDone, LoaderRequest } from './protocol.ts'
import { loaderRequestSchema } from './protocol.ts'
import type { Channel } from './serve.ts'
import { serve } from './serve.ts'

type Connect = (
  arm: Arm,
  environment: BackendEnvironment,
  settings: Readonly<Record<string, unknown>>,
) => Promise<Backend>

/** The loader process: everything up to `ready` is its floor, everything from `go` to `done` is timed. */
export function serveLoader(connect: Connect): Promise<void> {
  return serve(loaderRequestSchema, async (request, channel) => {
    await using backend = await connect(request.arm, request.environment, request.settings)
    await using table = await backend.open(request.table)
    await channel.emit({
      event: 'ready',
      processes: { loader: process.pid, ...backend.processes },
      settings: backend.settings,
      versions: backend.versions,
    })
    await channel.waitFor('go')
    await channel.emit(await carryOut(request, table, channel))
    await channel.waitFor('exit')
  })
}

async function carryOut(request: LoaderRequest, table: LakeTable, channel: Channel): Promise<LoaderDone> {
  const start = performance.now()
  if (request.work.kind === 'apply') {
    const { results, batchMs } = await applyAll(table, request.work, channel)
    return { ...total(results), batchMs, wallMs: performance.now() - start }
  }
  const engine = request.work.kind === 'maintain' ? await maintained(table) : await described(table)
  const nothing = { batchMs: [], rowsRead: 0, commits: 0, attempts: 0 }
  return { event: 'done', ...nothing, engine, wallMs: performance.now() - start }
}

async function maintained(table: LakeTable): Promise<LoaderDone['engine']> {
  const { filesBefore, filesAfter } = await table.maintain()
  return { filesBefore, filesAfter }
}

async function described(table: LakeTable): Promise<LoaderDone['engine']> {
  const { rows, dataFiles, deleteFiles, dataBytes } = await table.describe()
  return { rows, dataFiles, deleteFiles, dataBytes }
}

interface ApplyWork {
  readonly batches: readonly StagedBatch[]
  readonly mode: ApplyMode
  readonly runId: string
  readonly firstBatchIndex: number
  readonly batchesPerCommit?: number | undefined
}

async function applyAll(table: LakeTable, work: ApplyWork, channel: Channel) {
  const results: ApplyResult[] = []
  const batchMs: number[] = []
  const { runId, firstBatchIndex, batchesPerCommit = 1 } = work
  const batches = work.batches.map((batch, index) => ({
    batch,
    tag: { runId, batchIndex: firstBatchIndex + index },
  }))
  for (const together of grouped(batches, batchesPerCommit)) {
    const start = performance.now()
    results.push(await table.applyTogether(together, work.mode))
    const commitMs = performance.now() - start
    batchMs.push(...together.map(() => commitMs))
    await channel.emit({ event: 'progress', done: batchMs.length, total: batches.length })
  }
  return { results, batchMs }
}

function total(results: readonly ApplyResult[]): Omit<LoaderDone, 'wallMs' | 'batchMs'> {
  const engine: Record<string, number> = {}
  for (const [name, value] of results.flatMap((result) => Object.entries(result.engine))) {
    engine[name] = (engine[name] ?? 0) + value
  }
  const sum = (of: (result: ApplyResult) => number) => results.reduce((all, result) => all + of(result), 0)
  return {
    event: 'done',
    rowsRead: sum((result) => result.rowsRead),
    commits: sum((result) => result.commits),
    attempts: sum((result) => result.attempts),
    engine,
  }
}
