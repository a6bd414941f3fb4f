import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { z } from 'zod'
import { pssBytesOf } from '../measure/process-memory.ts'
import { CellFailed } from '../runner/failure.ts'
import type { Lab } from '../scenario.ts'
import { processTree } from './process-tree.ts'

const outcomeSchema = z.object({ status: z.string() })
const SAMPLE_MS = 250
const WATCH_MS = 40
const SAID_TAIL = 1_500

export interface SyncOptions {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface SyncEnd {
  /** `done`, `drained`, … as the command tells; null when it told nothing, as one that was killed does. */
  readonly status: string | null
  readonly exitCode: number | null
  readonly wallMs: number
  /** What all its processes held, summed over time: sampled PSS every 250 ms. */
  readonly usedByteSeconds: number
  readonly said: string
}

/** One run of `lakeduel sync`, with all the processes that it starts. */
export class RunningSync {
  readonly #process: ReturnType<typeof start>
  readonly #startedAt = performance.now()
  readonly #ended: Promise<SyncEnd>
  #running = true
  #usedByteSeconds = 0

  constructor(lab: Lab, options: SyncOptions) {
    this.#process = start(lab, options)
    const timer = setInterval(() => this.#sample(), SAMPLE_MS)
    this.#ended = this.#watch(timer)
  }

  get running(): boolean {
    return this.#running
  }

  /** Kills every process of it, as the end of a pod does. One that has ended is left alone: its id may be another's. */
  kill(): void {
    if (!this.#running) return
    for (const { pid } of processTree(this.#process.pid ?? 0)) signal(pid, 'SIGKILL')
  }

  /** Asks it to end, as an orchestrator does before it kills a pod: the first process of the pod is told. */
  terminate(): void {
    if (this.#running) signal(this.#process.pid ?? 0, 'SIGTERM')
  }

  /** Waits until something is so, or the sync has ended; tells whether it was so while it ran. */
  async reached(soFar: () => Promise<boolean>): Promise<boolean> {
    while (this.#running) {
      if (await soFar()) return true
      await sleep(WATCH_MS)
    }
    return false
  }

  end(): Promise<SyncEnd> {
    return this.#ended
  }

  async #watch(timer: NodeJS.Timeout): Promise<SyncEnd> {
    const { exitCode, stdout, stderr } = await this.#process
    this.#running = false
    clearInterval(timer)
    const told = stdout === '' ? null : outcomeSchema.parse(JSON.parse(stdout))
    return {
      status: told?.status ?? null,
      exitCode: exitCode ?? null,
      wallMs: performance.now() - this.#startedAt,
      usedByteSeconds: this.#usedByteSeconds,
      said: stderr.slice(-SAID_TAIL),
    }
  }

  #sample(): void {
    const heldBytes = processTree(this.#process.pid ?? 0).reduce(
      (sum, { pid }) => sum + (pssBytesOf(pid) ?? 0),
      0,
    )
    this.#usedByteSeconds += (heldBytes * SAMPLE_MS) / 1000
  }
}

/** @throws CellFailed where a sync that nobody disturbed didn't end as done */
export function assertDone(end: SyncEnd): void {
  if (end.status === 'done' && end.exitCode === 0) return
  const message = `the sync ended with ${end.exitCode}, ${end.status}: ${end.said}`
  throw new CellFailed({ status: 'engine-error', code: 'SYNC_FAILED', message })
}

function start(lab: Lab, { args, env }: SyncOptions) {
  const script = fileURLToPath(lab.surroundings.entries.main)
  // What a killed run held is given up soon, so that figures are those of the work and not of a lease.
  const quick = ['--claim-ttl', '3s', '--retry-backoff', '500ms', '--wait', '--json']
  return execa(process.execPath, [script, 'sync', ...args, ...quick], {
    env,
    reject: false,
    stdin: 'ignore',
    cancelSignal: lab.signal,
    forceKillAfterDelay: 10_000,
  })
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended by itself in the meantime.
  }
}
