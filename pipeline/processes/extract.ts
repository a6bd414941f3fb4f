import { setTimeout as sleep } from 'node:timers/promises'
import { formatOf } from '../../backends/backend.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { extractRun, type Reporter } from '../extract/extraction.ts'
import { resumePointOf, tableMarkOf } from '../extract/resume-point.ts'
import { StoredParents } from '../extract/stored-parents.ts'
import { faultPoint } from '../faults.ts'
import { environmentOf } from '../lake.ts'
import { lakeNames } from '../plan.ts'
import { parseSourceConfig } from '../sources/config.ts'
import { sourceNamed } from '../sources/registry.ts'
import { secretsOf } from '../sources/secrets.ts'
import type { Source, SourceTable } from '../sources/source.ts'
import type { AcquiredLease, HeldLease, Lease } from '../state/leases.ts'
import type { Run } from '../state/model.ts'
import { ownerText } from '../state/owner.ts'
import { openState, type State } from '../state/store.ts'
import { type ChildContext, runChild } from './child-process.ts'
import { extractFailure } from './extract-failure.ts'
import { limitsOf } from './extract-limits.ts'
import { type ExtractEvent, type ExtractRequest, extractRequestSchema } from './protocol.ts'
import { tableOfRun } from './source-table.ts'

type End = Omit<Extract<ExtractEvent, { event: 'end' }>, 'event'>

const REPORT_EVERY_MS = 500
/** Of the grace period, the part in which the page that is on its way may still arrive. */
const PAGE_SHARE_OF_GRACE = 1 / 3

/** The extractor as a child of `lakeduel sync`. */
export function serveExtract(): Promise<void> {
  return runChild(extractRequestSchema, async (request, context) => {
    const { postgres, stateSchema } = request.surroundings
    await using state = await openState(postgres, { schema: stateSchema, leaseTtlMs: request.leaseTtlMs })
    const acquired = await acquire(state, request, context.drain)
    context.emit({ event: 'end', ...(await endOf(state, request, context, acquired)) })
  })
}

async function endOf(
  state: State,
  request: ExtractRequest,
  context: ChildContext,
  acquired: AcquiredLease | HeldLease,
): Promise<End> {
  if (acquired.status === 'held') {
    const holder = acquired.owner === null ? null : ownerText(acquired.owner)
    return { ...NOTHING_WRONG, status: 'held', holder }
  }
  try {
    return await extractUnderLease(state, request, context, acquired)
  } finally {
    await state.leases.release(acquired.lease)
  }
}

const NOTHING_WRONG = { failure: null, holder: null } as const

/** With `wait`, when the extractor that has the run ends or falls silent. */
function acquire(
  state: State,
  { runId, wait }: ExtractRequest,
  drain: AbortSignal,
): Promise<AcquiredLease | HeldLease> {
  return wait ? state.leases.acquireWhenFree(runId, { signal: drain }) : state.leases.acquire(runId)
}

async function extractUnderLease(
  state: State,
  request: ExtractRequest,
  context: ChildContext,
  acquired: AcquiredLease,
): Promise<End> {
  if (acquired.run.extracted) return { ...NOTHING_WRONG, status: 'extracted' }
  await using alive = state.leases.keepAlive(acquired.lease)
  const { drain } = context
  const abort = AbortSignal.any([alive.signal, lateAfter(drain, request.graceMs * PAGE_SHARE_OF_GRACE)])
  const extracting = { state, request, context, lease: acquired.lease, abort }
  try {
    const all = await extractThroughOutages(extracting, acquired.run)
    if (!all) await faultPoint('during-drain')
    return { ...NOTHING_WRONG, status: all ? 'extracted' : 'drained' }
  } catch (error) {
    if (alive.signal.aborted || isLost(error)) return { ...NOTHING_WRONG, status: 'lost' }
    if (drain.aborted) return { ...NOTHING_WRONG, status: 'drained' }
    const failure = await extractFailure(error, { request, state, limits: limitsOf(request).read })
    await state.extraction.fail(acquired.lease, failure)
    return { status: 'failed', failure, holder: null }
  }
}

interface Extracting {
  readonly state: State
  readonly request: ExtractRequest
  readonly context: ChildContext
  readonly lease: Lease
  readonly abort: AbortSignal
}

/** Outages of the object store or of the state's Postgres in a row, after which they are told: about five minutes. */
const MAX_OUTAGES = 10
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 60_000

/** Begins anew at what is safe when the object store or Postgres was away; the source's own outages are waited out below. */
async function extractThroughOutages(extracting: Extracting, begun: Run): Promise<boolean> {
  const { state, request, context, abort } = extracting
  let run = begun
  for (let outages = 0; ; ) {
    try {
      return await extractOnce(extracting, run)
    } catch (error) {
      const passing = error instanceof LakeduelError && error.kind === 'transient'
      if (!passing || outages === MAX_OUTAGES || abort.aborted) throw error
    }
    const { nextBatchIndex } = run
    await sleep(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** outages), undefined, { signal: context.drain })
    run = await state.runs.get(request.runId)
    outages = run.nextBatchIndex > nextBatchIndex ? 0 : outages + 1
  }
}

async function extractOnce(
  { state, request, context, lease, abort }: Extracting,
  run: Run,
): Promise<boolean> {
  const definition = await sourceNamed(request.source)
  await using source = await definition.open(parseSourceConfig(definition, request.sourceConfig))
  const table = await tableOfRun(source, run)
  await using parents = await openParents(state, request, run, table, source)
  return await extractRun({
    state,
    surroundings: request.surroundings,
    run,
    lease,
    definition,
    secrets: secretsOf(definition, request.sourceConfig),
    source,
    table,
    parents,
    limits: limitsOf(request),
    maxStagedBytes: request.maxStagedBytes,
    drain: context.drain,
    abort,
    report: reporterOf(context),
  })
}

function isLost(error: unknown): boolean {
  return error instanceof LakeduelError && ['LEASE_LOST', 'RUN_NOT_ACTIVE'].includes(error.code)
}

/** Aborts some time after the drain signal. */
function lateAfter(drain: AbortSignal, afterMs: number): AbortSignal {
  const late = new AbortController()
  const start = () => setTimeout(() => late.abort(drain.reason), afterMs).unref()
  if (drain.aborted) start()
  else drain.addEventListener('abort', start, { once: true })
  return late.signal
}

/** The stored parents of a nested table; null for other tables, and where the source is to list the parents itself. */
async function openParents(
  state: State,
  { surroundings }: ExtractRequest,
  { spec, resumeCursor }: Run,
  { parent }: SourceTable,
  source: Source,
): Promise<StoredParents | null> {
  const { parents: chosen } = resumePointOf(resumeCursor)
  if (parent === null || chosen === 'source') return null
  const parentTable = (await source.discover()).find(({ name }) => name === parent.table)
  const { arm, lake } = spec.destination
  const stored = await state.runs.syncedFrom({ ...spec.source, table: parent.table }, spec.destination)
  if (stored === null || parentTable === undefined) return null
  const names = lakeNames(parentTable, parentTable.primaryKey)
  names.add(parent.columns)
  const columns = new Map(parent.columns.map((name) => [name, names.given.get(name) ?? name]))
  const own = spec.mode === 'incremental' ? await state.runs.storedTable(spec.destination) : null
  const since = tableMarkOf(own?.mark ?? null).mark
  return StoredParents.open({
    format: formatOf(arm),
    environment: environmentOf(surroundings, lake, null),
    table: stored.table,
    primaryKey: stored.primaryKey,
    columns,
    changedSince:
      since === null || parent.recencyColumn === null
        ? null
        : { column: names.given.get(parent.recencyColumn) ?? parent.recencyColumn, value: since },
    minStoredRows: chosen === 'stored' ? 0 : parent.minStoredRows,
  })
}

function reporterOf({ emit }: ChildContext): Reporter {
  let read = { pages: 0, rows: 0, bytes: 0 }
  let waiting: 'loaders' | 'source' | null = null
  let toldAtMs = Number.NEGATIVE_INFINITY
  const tell = () => {
    toldAtMs = performance.now()
    emit({ event: 'progress', ...read, waiting })
  }
  return {
    read: (progress) => {
      read = { ...progress }
      if (performance.now() - toldAtMs > REPORT_EVERY_MS) tell()
    },
    waiting: (for_) => {
      waiting = for_
      if (performance.now() - toldAtMs > REPORT_EVERY_MS) tell()
    },
  }
}
