import { writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { z } from 'zod'
import type {
  Arm,
  Backend,
  BackendEnvironment,
  CommitTag,
  LakeTable,
  StoredTable,
  TablePlace,
} from '../../backends/backend.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { faultPoint } from '../faults.ts'
import type {
  Applied,
  LoadReply,
  LoadRequest,
  LoadSetup,
  LoadTarget,
  Progress,
  ShadowTarget,
  switchedSchema,
} from './protocol.ts'
import { loadRequestSchema, loadSetupSchema } from './protocol.ts'
import { sliceBatch } from './slice.ts'

export type Connect = (
  arm: Arm,
  environment: BackendEnvironment,
  settings: Readonly<Record<string, unknown>>,
) => Promise<Backend>

/**
 * The load process: connects one backend and carries out requests until stdin closes. It is the one that a memory cap
 * kills, and then the worker starts another one; so it keeps nothing that the next one would need.
 */
export async function serveLoads(connect: Connect): Promise<void> {
  await offerToBeKilledFirst()
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  // Signals of a terminal reach the whole process group; when to end is for the worker to say, by closing stdin.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined)
  try {
    const first = await lines.next()
    if (first.done === true) return
    const setup = loadSetupSchema.parse(JSON.parse(first.value))
    await using backend = await connect(setup.arm, setup.environment, setup.settings)
    reply({ status: 'ready', processes: { load: process.pid, ...backend.processes } })
    for (;;) {
      const line = await lines.next()
      if (line.done === true) return
      reply(await answer(backend, setup, loadRequestSchema.parse(JSON.parse(line.value))))
    }
  } catch (error) {
    reply(failed(error))
    process.exitCode = 1
  } finally {
    process.stdin.destroy()
  }
}

/** Where a pod has one cap for all its processes, the kernel is to take this one and leave the worker. */
async function offerToBeKilledFirst(): Promise<void> {
  await writeFile('/proc/self/oom_score_adj', '1000').catch(() => undefined)
}

function reply(message: LoadReply): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

async function answer(backend: Backend, setup: LoadSetup, request: LoadRequest): Promise<LoadReply> {
  try {
    return { status: 'done', result: await carryOut(backend, setup, request) }
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): LoadReply {
  const known = error instanceof LakeduelError ? error : null
  return {
    status: 'failed',
    code: known?.code ?? 'ENGINE_FAILED',
    message: messageOf(error),
    remedy: known?.remedy ?? null,
    facts: { ...known?.facts },
  }
}

async function carryOut(backend: Backend, setup: LoadSetup, request: LoadRequest): Promise<unknown> {
  switch (request.verb) {
    case 'apply':
      return apply(backend, request)
    case 'progress':
      return progress(backend, request)
    case 'slice':
      return sliceBatch(setup.environment, request)
    case 'switch':
      return switchOver(backend, request)
    case 'drop':
      return backend.drop(request.table, placeOf(request.shadowOf))
    case 'maintain':
      return maintain(backend, request)
  }
}

async function apply(
  backend: Backend,
  { target, batch, mode, tag, unlessSlicedAs, fromRow }: Extract<LoadRequest, { verb: 'apply' }>,
): Promise<Applied> {
  await using opened = await openTable(backend, target)
  if (fromRow !== null) await assertSlicedThrough(opened.table, tag, fromRow)
  const slicedThrough = unlessSlicedAs === null ? null : await opened.table.appliedThrough(unlessSlicedAs)
  const columns = { addedColumns: [...opened.added], widenedColumns: [...opened.widened] }
  if (slicedThrough !== null) return { ...NOTHING_APPLIED, ...columns, slicedThrough }
  await faultPoint('before-apply')
  return { ...(await opened.table.apply(batch, mode, tag)), ...columns, slicedThrough }
}

/** A loader that was thought dead may have applied slices of another size meanwhile, which this one would overlap. */
async function assertSlicedThrough(table: LakeTable, tag: CommitTag, fromRow: number): Promise<void> {
  const through = (await table.appliedThrough(tag.runId)) ?? 0
  if (through === fromRow || through === tag.batchIndex) return
  throw new LakeduelError('SLICE_MOVED', `The batch is applied through row ${through}, not ${fromRow}.`, {
    facts: { ...tag, through, fromRow },
    remedy: 'Go on after the row that it is applied through.',
  })
}

const NOTHING_APPLIED = {
  alreadyApplied: false,
  rowsRead: 0,
  rowsInserted: 0,
  rowsUpdated: 0,
  commits: 0,
  attempts: 0,
  version: '',
}

async function progress(
  backend: Backend,
  { target, tag, slicedAs }: Extract<LoadRequest, { verb: 'progress' }>,
): Promise<Progress> {
  await using opened = await openTable(backend, target)
  const through = await opened.table.appliedThrough(tag.runId)
  return {
    applied: through !== null && through >= tag.batchIndex,
    slicedThrough: await opened.table.appliedThrough(slicedAs),
  }
}

async function switchOver(
  backend: Backend,
  { shadow, tag }: Extract<LoadRequest, { verb: 'switch' }>,
): Promise<z.infer<typeof switchedSchema>> {
  const target = await backend.stored(shadow.shadowOf)
  const columns = shadow.columns.length > 0 ? shadow.columns : target?.columns
  if (columns === undefined) return { switched: false }
  if (!(await isSwitched(backend, shadow, tag, target))) {
    const made = await openTable(backend, { ...shadow, columns })
    await made[Symbol.asyncDispose]()
  }
  await faultPoint('during-switch')
  await backend.swap(shadow.table, shadow.shadowOf, tag)
  return { switched: true }
}

/** A switch that was committed has no shadow any more, and none must be made for it. */
async function isSwitched(
  backend: Backend,
  shadow: ShadowTarget,
  tag: CommitTag,
  target: StoredTable | null,
): Promise<boolean> {
  if (target === null) return false
  await using table = await backend.open({ name: shadow.shadowOf, primaryKey: [], ...target })
  return (await table.appliedThrough(tag.runId)) === tag.batchIndex
}

interface OpenedTable extends AsyncDisposable {
  readonly table: LakeTable
  readonly added: readonly string[]
  readonly widened: readonly string[]
}

/** Opens the table as it is stored and evolves it to what the batch has, or makes it. */
async function openTable(backend: Backend, target: LoadTarget): Promise<OpenedTable> {
  const { table: name, shadowOf, columns, primaryKey } = target
  const place = placeOf(shadowOf)
  const stored = await backend.stored(name, place)
  const asked = new Map(columns.map((column) => [column.name, column]))
  const spec = {
    name,
    columns: stored?.columns.map((column) => asText(column, asked.get(column.name))) ?? columns,
    primaryKey,
    partitionBy: stored === null ? target.partitionBy : stored.partitionBy,
  }
  const table = await backend.open(spec, place)
  const evolved = stored === null ? { added: [], widened: [] } : await table.evolve(columns)
  return { table, ...evolved, [Symbol.asyncDispose]: () => table.close() }
}

function placeOf(shadowOf: string | null): TablePlace {
  return shadowOf === null ? {} : { shadowOf }
}

/** JSON comes back from a format as text, which is what it is stored as. */
function asText(
  stored: LoadTarget['columns'][number],
  asked: LoadTarget['columns'][number] | undefined,
): LoadTarget['columns'][number] {
  const json = stored.type.kind === 'string' && asked?.type.kind === 'json'
  return json ? { ...stored, type: asked.type } : stored
}

async function maintain(
  backend: Backend,
  { target, minFiles }: Extract<LoadRequest, { verb: 'maintain' }>,
): Promise<unknown> {
  await using opened = await openTable(backend, target)
  const { dataFiles, deleteFiles } = await opened.table.describe()
  if (dataFiles + deleteFiles < minFiles)
    return { filesBefore: dataFiles + deleteFiles, filesAfter: dataFiles + deleteFiles, durationMs: 0 }
  await faultPoint('during-compaction')
  const startMs = performance.now()
  const { filesBefore, filesAfter } = await opened.table.maintain()
  return { filesBefore, filesAfter, durationMs: performance.now() - startMs }
}
