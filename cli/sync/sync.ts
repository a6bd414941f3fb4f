import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { z } from 'zod'
import type { ExtractRequest } from '../../pipeline/processes/protocol.ts'
import { gatherSourceConfig, parseSourceConfig, type RawConfig } from '../../pipeline/sources/config.ts'
import { sourceNamed } from '../../pipeline/sources/registry.ts'
import { withoutSecrets } from '../../pipeline/sources/secrets.ts'
import type { RunFailure } from '../../pipeline/state/model.ts'
import { openState, STATE_DEFAULTS, type State } from '../../pipeline/state/store.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { profileFor, readProfiles } from '../tune/profiles.ts'
import { SyncDisplay, type TableView } from './display.ts'
import { type Extracted, extractWithRestarts } from './extracting.ts'
import { runLoader } from './loading.ts'
import { type MemoryBudget, memoryBudgetOf } from './memory.ts'
import { planOf, type SyncOptions } from './options.ts'
import { exitCodeOf, outcomeText, type SyncOutcome, tableOutcome } from './outcome.ts'
import type { SyncPlan } from './plan.ts'
import { type BegunTable, beginRuns, plannedTables } from './runs.ts'
import { type Opened, openSurroundings } from './surroundings.ts'

const DEFAULT_GRACE_MS = 30_000
const DEFAULT_MAX_STAGED_BYTES = 2 * 2 ** 30
const POLL_MS = 300

/** `lakeduel sync`: plan → begin → extract and load side by side → tell how it ended. */
export async function runSync(options: SyncOptions): Promise<void> {
  const drain = interruptSignal()
  const plan = await withTuned(await planOf(options), options)
  await using opened = await openSurroundings(options, drain)
  const { surroundings } = opened
  await using state = await openState(surroundings.postgres, { schema: surroundings.stateSchema })
  const { sourceConfig, begun } = await begin(options, plan, state)
  const outcome = await carryOut({ options, plan, opened, sourceConfig, begun, state, drain })
  process.stdout.write(options.json ? `${JSON.stringify(outcome, null, 2)}\n` : `${outcomeText(outcome)}\n`)
  process.exitCode = exitCodeOf(outcome)
}

/** What the plan sets itself counts before what was tuned. */
async function withTuned(plan: SyncPlan, options: SyncOptions): Promise<SyncPlan> {
  if (options.tuned === undefined) return plan
  const profiles = await readProfiles(options.tuned)
  const { settings } = profileFor(profiles, plan.to, memoryBudgetOf(options).loaderBytes)
  return { ...plan, settings: { ...settings, ...plan.settings } }
}

interface Begun {
  readonly sourceConfig: RawConfig
  readonly begun: readonly BegunTable[]
}

/** Everything that can be wrong with what was asked shows here, before any process is started. */
async function begin(options: SyncOptions, plan: SyncPlan, state: State): Promise<Begun> {
  const definition = await sourceNamed(plan.source.name)
  const sourceConfig = await gatherSourceConfig(definition, {
    base: plan.source.config,
    file: options.sourceConfig,
    env: process.env,
    settings: options.set,
  })
  await using source = await definition.open(parseSourceConfig(definition, sourceConfig))
  const stored = z.record(z.string(), z.json()).parse(withoutSecrets(definition, sourceConfig))
  return { sourceConfig, begun: await beginRuns(state, await plannedTables(plan, source, stored)) }
}

interface Sync extends Begun {
  readonly options: SyncOptions
  readonly plan: SyncPlan
  readonly opened: Opened
  readonly state: State
  readonly drain: AbortSignal
}

async function carryOut(sync: Sync): Promise<SyncOutcome> {
  const startedAt = performance.now()
  const { options, begun, drain } = sync
  const budget = memoryBudgetOf(options)
  const views = begun.map((begunTable): TableView => ({ ...begunTable, progress: null, extracting: null }))
  using display = new SyncDisplay(views, options)
  for (const { run, resumed } of begun) {
    const how = resumed
      ? `goes on with run ${run.runId} after batch ${run.nextBatchIndex}`
      : `run ${run.runId}`
    display.line(
      `${run.spec.source.table} → ${run.spec.destination.table} (${run.spec.destination.arm}): ${how}`,
    )
  }
  // The loader ends when nothing is left for it, by its own drain signal.
  const loaderDone = new AbortController()
  const loading = options.worker
    ? runLoader(sync.opened.surroundings, loaderOptions(options, budget), {
        drain: AbortSignal.any([drain, loaderDone.signal]),
        display,
      })
    : Promise.resolve({ peakBytes: null, deaths: 0 })
  // A loader that can't be started must end the sync, not hang it.
  const failedLoading = loading.then(() => new Promise<never>(() => undefined))
  try {
    const extracted = await Promise.race([extractAll(sync, budget, views, display), failedLoading])
    const failed = await Promise.race([awaitRuns(sync, views, extracted), failedLoading])
    loaderDone.abort(new Error('all runs are over'))
    const loader = await loading
    return await outcomeOf(sync, { extracted, loader, failed, wallMs: performance.now() - startedAt })
  } finally {
    loaderDone.abort(new Error('the sync is over'))
    await loading.catch(() => undefined)
  }
}

function loaderOptions(options: SyncOptions, { loaderBytes }: MemoryBudget) {
  return {
    memoryBytes: loaderBytes,
    concurrency: options.concurrency ?? 1,
    graceMs: options.grace ?? DEFAULT_GRACE_MS,
    queue: {
      ...STATE_DEFAULTS.queue,
      ...(options.claimTtl === undefined ? {} : { claimTtlMs: options.claimTtl }),
      ...(options.retryBackoff === undefined ? {} : { backoffMs: options.retryBackoff }),
    },
  }
}

async function extractAll(
  sync: Sync,
  budget: MemoryBudget,
  views: readonly TableView[],
  display: SyncDisplay,
): Promise<readonly Extracted[]> {
  const limit = pLimit(sync.options.parallel ?? 1)
  return Promise.all(views.map((view) => limit(() => extractTable(sync, budget, view, display))))
}

async function extractTable(
  sync: Sync,
  { extractorBytes }: MemoryBudget,
  view: TableView,
  display: SyncDisplay,
): Promise<Extracted> {
  const { options, state, drain } = sync
  const { runId, extracted } = view.run
  if (extracted) return { ...NOT_EXTRACTED, status: 'extracted' }
  if (!(await parentsAreStored(sync, view)) || drain.aborted) return NOT_EXTRACTED
  const perTable = extractorBytes === null ? null : Math.floor(extractorBytes / (options.parallel ?? 1))
  return extractWithRestarts({
    state,
    entry: new URL(`../processes/extract${import.meta.url.slice(-3)}`, import.meta.url),
    request: extractRequest(sync, runId, perTable),
    memoryCapBytes: perTable,
    drain,
    onProgress: (progress) => (view.extracting = progress),
    onDeath: ({ death, said }) =>
      display.line(`the extractor of ${runId} died (${death.status}) and is started again`, { death, said }),
  })
}

const NOT_EXTRACTED: Extracted = {
  status: 'drained',
  failure: null,
  holder: null,
  deaths: 0,
  peakBytes: null,
}

/** Waits for the table that a nested one takes its parents from, where this sync fills it. False when that has failed. */
async function parentsAreStored({ state, begun, drain }: Sync, { parent }: TableView): Promise<boolean> {
  const parentRun = begun.find(({ run }) => run.spec.source.table === parent)?.run
  if (parentRun === undefined) return true
  const over = await state.runs.wait(parentRun.runId, { signal: drain }).catch((error: unknown) => {
    if (drain.aborted) return null
    throw error
  })
  return over?.status === 'done'
}

function extractRequest(sync: Sync, runId: string, memoryBytes: number | null): ExtractRequest {
  const { options, plan, opened, sourceConfig } = sync
  return {
    surroundings: opened.surroundings,
    runId,
    source: plan.source.name,
    sourceConfig,
    memoryBytes,
    graceMs: options.grace ?? DEFAULT_GRACE_MS,
    maxStagedBytes: options.maxStaged ?? DEFAULT_MAX_STAGED_BYTES,
    leaseTtlMs: STATE_DEFAULTS.leaseTtlMs,
    wait: options.wait,
    bundleDir: join(opened.config.home, 'failures'),
    includeValues: options.includeValues,
    limits: {
      ...(options.batchRows === undefined ? {} : { batchRows: options.batchRows }),
      ...(options.batchBytes === undefined ? {} : { batchBytes: options.batchBytes }),
      ...(options.pageRows === undefined ? {} : { pageRows: options.pageRows }),
    },
  }
}

/** Waits until every run is over with all that follows it, or nothing more can happen here. Returns whether one failed. */
async function awaitRuns(
  { state, options, drain }: Sync,
  views: readonly TableView[],
  extracted: readonly Extracted[],
): Promise<boolean> {
  for (;;) {
    for (const view of views) view.progress = await state.runs.progress(view.run.runId)
    if (drain.aborted || !options.worker) break
    const open = await Promise.all(
      views.map((view, index) => isOpen(state, view, extracted[index]?.status === 'extracted')),
    )
    if (!open.includes(true)) break
    await sleep(POLL_MS, undefined, { signal: drain }).catch(() => undefined)
  }
  return views.some(({ progress }) => progress?.status === 'failed' || progress?.status === 'cancelled')
}

/** Compaction, triggers and clean-up belong to a sync as much as its rows do. */
async function isOpen(state: State, { run, progress }: TableView, extracted: boolean): Promise<boolean> {
  if (progress?.status === 'active') return extracted
  const { unfinished } = await state.runs.details(run.runId)
  return unfinished.some(({ status, kind }) => status === 'open' && kind !== 'batch' && kind !== 'finish')
}

interface Ended {
  readonly extracted: readonly Extracted[]
  readonly loader: { readonly peakBytes: number | null; readonly deaths: number }
  readonly failed: boolean
  readonly wallMs: number
}

async function outcomeOf(
  { begun, state, drain, options }: Sync,
  { extracted, loader, failed, wallMs }: Ended,
): Promise<SyncOutcome> {
  const runs = await Promise.all(begun.map(({ run }) => state.runs.get(run.runId)))
  const held = extracted.find(({ status }) => status === 'held')
  if (held !== undefined) throw heldByAnother(held)
  const done = runs.every(({ status }) => status === 'done')
  const unfinished = drain.aborted ? 'drained' : options.worker ? 'failed' : 'extracted'
  const peaks = extracted.flatMap(({ peakBytes }) => (peakBytes === null ? [] : [peakBytes]))
  return {
    status: failed ? 'failed' : done ? 'done' : unfinished,
    tables: runs.map(tableOutcome),
    wallMs,
    extractorPeakBytes: peaks.length === 0 ? null : Math.max(...peaks),
    loaderPeakBytes: loader.peakBytes,
    deaths: loader.deaths + extracted.reduce((sum, { deaths }) => sum + deaths, 0),
  }
}

function heldByAnother({
  holder,
}: {
  readonly holder: string | null
  readonly failure: RunFailure | null
}): LakeduelError {
  return new LakeduelError(
    'RUN_IN_PROGRESS',
    `Another sync extracts this table: ${holder ?? 'it just ended'}.`,
    {
      facts: { holder },
      remedy: 'Wait for it with --wait, or end it first; what it has staged is loaded either way.',
    },
  )
}
