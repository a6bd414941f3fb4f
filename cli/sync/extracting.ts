import { setTimeout as sleep } from 'node:timers/promises'
import { limitsOf } from '../../pipeline/processes/extract-limits.ts'
import type { ExtractEvent, ExtractRequest } from '../../pipeline/processes/protocol.ts'
import { extractEventSchema } from '../../pipeline/processes/protocol.ts'
import type { State } from '../../pipeline/state/store.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { type ChildEnd, runChildProcess } from './child.ts'

type Progress = Extract<ExtractEvent, { event: 'progress' }>
type End = Extract<ExtractEvent, { event: 'end' }>

export interface ExtractingOptions {
  readonly state: State
  readonly entry: URL
  readonly request: ExtractRequest
  readonly memoryCapBytes: number | null
  readonly drain: AbortSignal
  readonly onProgress: (progress: Progress) => void
  readonly onDeath: (end: ChildEnd) => void
}

export interface Extracted {
  readonly status: End['status']
  readonly failure: End['failure']
  readonly holder: string | null
  readonly deaths: number
  readonly peakBytes: number | null
}

/** Deaths in a row without a page more, after which it is no accident. */
const MAX_FRUITLESS_DEATHS = 5
/** V8 lets its young generation grow with what passes through it, by 200 MiB for narrow rows (docs/decisions/007). */
const NODE_FLAGS = ['--max-semi-space-size=8']
const RESTART_WAIT_MS = 250

/**
 * Extracts a run in a child process, and starts it again where it left off when it dies: killed for memory, by a person,
 * or by a defect of ours.
 * @throws LakeduelError `EXTRACTOR_DIED` when it dies again and again without getting any further
 */
export async function extractWithRestarts(options: ExtractingOptions): Promise<Extracted> {
  let deaths = 0
  let fruitless = 0
  let request = options.request
  let peakBytes: number | null = null
  let before = await progressMark(options)
  for (;;) {
    const { end, child } = await extractOnce({ ...options, request })
    peakBytes = maxOf(peakBytes, child.peakBytes)
    if (end !== null)
      return { status: end.status, failure: end.failure, holder: end.holder, deaths, peakBytes }
    if (options.drain.aborted) return { status: 'drained', failure: null, holder: null, deaths, peakBytes }
    deaths += 1
    options.onDeath(child)
    const after = await progressMark(options)
    fruitless = after === before ? fruitless + 1 : 0
    if (fruitless > 0 && child.death.status === 'oom-killed') request = forSmallerRows(request)
    before = after
    if (fruitless >= MAX_FRUITLESS_DEATHS) throw diedAgainAndAgain(options, child)
    await sleep(RESTART_WAIT_MS * 2 ** fruitless, undefined, { signal: options.drain }).catch(() => undefined)
  }
}

/** Where it was killed for memory at the same place, a row may be the cause: half as large a one is refused then, by name. */
function forSmallerRows(request: ExtractRequest): ExtractRequest {
  const { maxRowBytes } = limitsOf(request).read
  return { ...request, limits: { ...request.limits, maxRowBytes: Math.ceil(maxRowBytes / 2) } }
}

async function extractOnce(
  options: ExtractingOptions,
): Promise<{ readonly end: End | null; readonly child: ChildEnd }> {
  let end: End | null = null
  const child = await runChildProcess({
    name: 'extract',
    entry: options.entry,
    nodeFlags: NODE_FLAGS,
    request: options.request,
    memoryCapBytes: options.memoryCapBytes,
    events: extractEventSchema,
    onEvent: (event) => {
      if (event.event === 'progress') options.onProgress(event)
      else end = event
    },
    drain: options.drain,
    graceMs: options.request.graceMs,
  })
  return { end, child }
}

/** Changes whenever the run got further, also within a batch. */
async function progressMark({ state, request }: ExtractingOptions): Promise<string> {
  const { nextBatchIndex, extracted } = await state.runs.get(request.runId)
  return `${nextBatchIndex} ${extracted} ${await state.extraction.safePages(request.runId)}`
}

function maxOf(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other)
}

function diedAgainAndAgain({ request }: ExtractingOptions, { death, said }: ChildEnd): LakeduelError {
  const memory = death.status === 'oom-killed'
  return new LakeduelError(
    'EXTRACTOR_DIED',
    `The extractor of run ${request.runId} died ${MAX_FRUITLESS_DEATHS} times in a row without getting any further${memory ? ': killed at its memory cap' : ''}.`,
    {
      facts: { runId: request.runId, ...death, said },
      remedy: memory
        ? 'Give it more with --extractor-memory; a row must fit into it about six times.'
        : 'Read its last lines in the facts (--json); the run goes on when the command is started again.',
    },
  )
}
