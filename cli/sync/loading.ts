import { setTimeout as sleep } from 'node:timers/promises'
import type { Surroundings } from '../../pipeline/lake.ts'
import { type WorkerRequest, workerEventSchema } from '../../pipeline/processes/protocol.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { type ChildEnd, runChildProcess } from './child.ts'
import type { SyncDisplay } from './display.ts'

/** A load that takes longer counts as hung. */
const REQUEST_DEADLINE_MS = 60 * 60_000
/** A worker that lives for less has not died of its work. */
const SHORT_LIFE_MS = 10_000
const MAX_SHORT_LIVES = 5
const RESTART_WAIT_MS = 250

export interface Loaded {
  readonly peakBytes: number | null
  readonly deaths: number
}

/**
 * Keeps a worker running until it is told to drain, and starts it again when it dies.
 * @throws LakeduelError `SETUP_FAILED` when it dies again and again as soon as it starts
 */
export async function runLoader(
  surroundings: Surroundings,
  settings: Omit<WorkerRequest, 'surroundings' | 'requestDeadlineMs'>,
  { drain, display }: { readonly drain: AbortSignal; readonly display: SyncDisplay },
): Promise<Loaded> {
  let deaths = 0
  let shortLives = 0
  let peakBytes: number | null = null
  for (;;) {
    const startedAt = performance.now()
    const end = await runChildProcess({
      name: 'loader',
      entry: new URL(`../processes/worker${import.meta.url.slice(-3)}`, import.meta.url),
      nodeFlags: [],
      request: { ...settings, surroundings, requestDeadlineMs: REQUEST_DEADLINE_MS },
      memoryCapBytes: settings.memoryBytes,
      events: workerEventSchema,
      onEvent: ({ event, ...facts }) => {
        if (event === 'failed' || event === 'rows-dead' || event === 'lost')
          display.line(`${event}: ${JSON.stringify(facts)}`, { event, ...facts })
      },
      drain,
      graceMs: settings.graceMs,
    })
    if (end.peakBytes !== null) peakBytes = Math.max(peakBytes ?? 0, end.peakBytes)
    if (drain.aborted) return { peakBytes, deaths }
    deaths += 1
    shortLives = performance.now() - startedAt < SHORT_LIFE_MS ? shortLives + 1 : 0
    if (shortLives >= MAX_SHORT_LIVES) throw diesAtOnce(end)
    display.line(`the worker died (${end.death.status}) and is started again`, { ...end })
    await sleep(RESTART_WAIT_MS * 2 ** shortLives, undefined, { signal: drain }).catch(() => undefined)
  }
}

function diesAtOnce({ death, said }: ChildEnd): LakeduelError {
  return new LakeduelError(
    'SETUP_FAILED',
    `The worker died ${MAX_SHORT_LIVES} times as soon as it started: ${said.trim() || death.status}`,
    {
      facts: { ...death, said },
      remedy: 'See `lakeduel doctor`, and give it more with --loader-memory if it was killed for memory.',
    },
  )
}
