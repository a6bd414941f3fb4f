/**
 * A worker claims batches, applies each in a load process under its own memory cap, and records what was committed. It
 * holds nothing that its successor would need.
 *
 * SIGTERM drains it: it claims nothing more and finishes what it has in hand; what isn't done within the grace period is
 * given back without spending an attempt. A claim that was lost ends its load process at once, and were that process to
 * commit all the same, the tag of the commit would make it change nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { faultPoint } from '../faults.ts'
import type { Surroundings } from '../lake.ts'
import type { AfterClaim } from '../queue/after-queue.ts'
import type { LoadClaim } from '../queue/load-queue.ts'
import type { KeptAlive } from '../state/keep-alive.ts'
import type { Destination } from '../state/model.ts'
import type { State } from '../state/store.ts'
import type { Carry } from './apply-batch.ts'
import { failureOf, isRetryable } from './failure.ts'
import { LoadLane } from './load-lane.ts'
import { doAfter, finishTable, loadBatch } from './load-work.ts'
import type { LoadRequest } from './protocol.ts'

export interface WorkerOptions {
  readonly state: State
  readonly surroundings: Surroundings
  /** The program of the load process, which calls `serveLoads`. */
  readonly loadEntry: URL
  /** For all load processes together; null leaves them uncapped. */
  readonly loadMemoryBytes: number | null
  /** Tables that are loaded at once. */
  readonly concurrency: number
  /** What draining may take. */
  readonly graceMs: number
  readonly requestDeadlineMs: number
  /** Asks the worker to drain. */
  readonly drain: AbortSignal
  readonly report: (event: WorkerEvent) => void
}

export type WorkerEvent =
  | {
      readonly event: 'committed'
      readonly runId: string
      readonly batchIndex: number
      readonly rows: number
      /** Its pod could not take it whole, or whoever had it before died. */
      readonly sliced: boolean
    }
  | {
      readonly event: 'rows-dead'
      readonly runId: string
      readonly batchIndex: number
      readonly rows: number
    }
  | { readonly event: 'finished'; readonly runId: string }
  | { readonly event: 'followed'; readonly runId: string; readonly what: string }
  | { readonly event: 'handed-back'; readonly runId: string }
  | { readonly event: 'lost'; readonly runId: string }
  | {
      readonly event: 'failed'
      readonly runId: string
      readonly code: string
      readonly message: string
      readonly outcome: 'retried' | 'dead'
    }

/** Resolves when it is drained, to the highest memory peak of any load pod in bytes (0 where pods aren't measured). */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const { state, concurrency } = options
  const grace = graceAfter(options.drain, options.graceMs)
  // What follows a run takes a lane of its own, so that a slow trigger holds up no data.
  const lanes = Array.from({ length: concurrency }, () => new Lane(options, grace))
  const after = new Lane(options, grace)
  const loads = lanes.map((lane) => untilDrained(options.drain, () => lane.load(state)))
  const follows = untilDrained(options.drain, () => after.follow(state))
  await Promise.all([...loads, follows])
  return Math.max(...[...lanes, after].map(({ peakBytes }) => peakBytes))
}

/** Aborts when the grace period after the drain signal is over, less what handing back takes. */
function graceAfter(drain: AbortSignal, graceMs: number): AbortSignal {
  const over = new AbortController()
  const margin = Math.min(2_000, graceMs / 4)
  drain.addEventListener(
    'abort',
    () => setTimeout(() => over.abort(drain.reason), graceMs - margin).unref(),
    { once: true },
  )
  return over.signal
}

/** A lost connection to Postgres is waited out, since other workers may go on meanwhile. */
async function untilDrained(drain: AbortSignal, step: () => Promise<void>): Promise<void> {
  while (!drain.aborted) {
    try {
      await step()
    } catch (error) {
      if (!drain.aborted) {
        if (!isRetryable(error)) throw error
        await sleep(1_000, undefined, { signal: drain }).catch(() => undefined)
      }
    }
  }
}

/** One piece of work at a time, with a load process for it. */
class Lane {
  readonly #options: WorkerOptions
  readonly #grace: AbortSignal
  #peakBytes = 0
  #lane: LoadLane

  constructor(options: WorkerOptions, grace: AbortSignal) {
    this.#options = options
    this.#grace = grace
    this.#lane = this.#newLane()
  }

  get peakBytes(): number {
    return Math.max(this.#peakBytes, this.#lane.peakBytes)
  }

  async load(state: State): Promise<void> {
    try {
      while (!this.#options.drain.aborted)
        await this.#loadOne(state, await state.load.next(this.#options.drain))
    } finally {
      await this.#rest()
    }
  }

  async follow(state: State): Promise<void> {
    try {
      while (!this.#options.drain.aborted) {
        await this.#followOne(state, await state.after.next(this.#options.drain))
        // A process that is kept would hold memory that the loads may need.
        await this.#rest()
      }
    } finally {
      await this.#rest()
    }
  }

  async #loadOne(state: State, claimed: LoadClaim): Promise<void> {
    const { claim, run, tag } = claimed
    const { report, surroundings } = this.#options
    await this.#keeping(state.load, claimed, async (carry) => {
      if (claimed.kind === 'finish') {
        await finishTable(claimed, carry)
        await state.load.finishRun(claim)
        report({ event: 'finished', runId: run.runId })
        return
      }
      const { result, sliced } = await loadBatch(claimed, surroundings, carry)
      await state.load.commitBatch(claim, result)
      const { rowsCommitted, deadRows } = result
      report({ event: 'committed', ...tag, rows: rowsCommitted, sliced })
      if (deadRows.length > 0) report({ event: 'rows-dead', ...tag, rows: deadRows.length })
    })
  }

  async #followOne(state: State, claimed: AfterClaim): Promise<void> {
    const { claim, run, work } = claimed
    await this.#keeping(state.after, claimed, async (carry) => {
      await doAfter(claimed, this.#options.surroundings, carry)
      await state.after.complete(claim)
      this.#options.report({ event: 'followed', runId: run.runId, what: work.kind })
    })
  }

  /** Does the work while its claim is kept alive, and settles what comes of a failure. */
  async #keeping(
    queue: State['load'] | State['after'],
    { claim, run }: LoadClaim | AfterClaim,
    work: (carry: Carry) => Promise<void>,
  ): Promise<void> {
    await using alive = queue.keepAlive(claim)
    const stop = AbortSignal.any([alive.signal, this.#grace])
    const kill = () => void this.#lane.kill()
    stop.addEventListener('abort', kill, { once: true })
    try {
      stop.throwIfAborted()
      await work(this.#carryFor(run.spec.destination, stop))
    } catch (error) {
      await this.#settle(queue, claim, error, alive)
    } finally {
      stop.removeEventListener('abort', kill)
    }
  }

  async #settle(
    queue: State['load'] | State['after'],
    claim: LoadClaim['claim'],
    error: unknown,
    alive: KeptAlive,
  ): Promise<void> {
    const { report } = this.#options
    const { runId } = claim
    if (alive.signal.aborted) return report({ event: 'lost', runId })
    if (this.#grace.aborted) {
      await faultPoint('during-drain')
      await queue.handBack(claim)
      return report({ event: 'handed-back', runId })
    }
    const failure = failureOf(error)
    const { status } = await queue.fail(claim, failure, { retryable: isRetryable(error) })
    const { code, message } = failure
    report({ event: 'failed', runId, code, message, outcome: status })
  }

  #carryFor(destination: Destination, signal: AbortSignal): Carry {
    return <T>(request: LoadRequest, result: z.ZodType<T>) =>
      this.#lane.carry(destination, request, result, signal)
  }

  async #rest(): Promise<void> {
    await this.#lane[Symbol.asyncDispose]()
    this.#peakBytes = this.peakBytes
    this.#lane = this.#newLane()
  }

  #newLane(): LoadLane {
    const { surroundings, loadEntry, loadMemoryBytes, concurrency, requestDeadlineMs } = this.#options
    return new LoadLane({
      surroundings,
      entry: loadEntry,
      memoryCapBytes: loadMemoryBytes === null ? null : Math.floor(loadMemoryBytes / concurrency),
      requestDeadlineMs,
    })
  }
}
