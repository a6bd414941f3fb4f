import type {
  ApplyMode,
  ApplyResult,
  Arm,
  Backend,
  BackendEnvironment,
  LakeTable,
  StagedBatch,
} from '../../backends/backend.ts'
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
  if (request.work.kind === 'maintain') {
    const maintained = await table.maintain()
    return {
      event: 'done',
      wallMs: performance.now() - start,
      rowsRead: 0,
      commits: 0,
      attempts: 0,
      engine: { filesBefore: maintained.filesBefore, filesAfter: maintained.filesAfter },
    }
  }
  const results = await applyAll(table, request.work, channel)
  return { ...total(results), wallMs: performance.now() - start }
}

interface ApplyWork {
  readonly batches: readonly StagedBatch[]
  readonly mode: ApplyMode
  readonly runId: string
}

async function applyAll(
  table: LakeTable,
  work: ApplyWork,
  channel: Channel,
): Promise<readonly ApplyResult[]> {
  const results: ApplyResult[] = []
  for (const [batchIndex, batch] of work.batches.entries()) {
    results.push(await table.apply(batch, work.mode, { runId: work.runId, batchIndex }))
    await channel.emit({ event: 'progress', done: batchIndex + 1, total: work.batches.length })
  }
  return results
}

function total(results: readonly ApplyResult[]): Omit<LoaderDone, 'wallMs'> {
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
