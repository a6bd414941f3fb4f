import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import { replay } from '../coordination/replay.ts'
import { environmentOf, type Surroundings } from '../lake.ts'
import type { Destination } from '../state/model.ts'
import { LoadPod } from './load-pod.ts'
import type { LoadRequest, LoadSetup } from './protocol.ts'

/** They spend no attempt of the batch, since the batch is not the cause. */
const RETRIES = { tries: 6, firstWaitMs: 200, longestWaitMs: 5_000 }

export interface LaneOptions {
  readonly surroundings: Surroundings
  /** The program of the load process. */
  readonly entry: URL
  /** The cap of the load process's pod, or null for none. */
  readonly memoryCapBytes: number | null
  readonly requestDeadlineMs: number
}

/**
 * One load process at a time, kept between batches of the same arm and lake, and started anew when it died. What goes on
 * in it can be ended at any moment.
 */
export class LoadLane implements AsyncDisposable {
  readonly #options: LaneOptions
  #current: { readonly setup: LoadSetup; readonly pod: LoadPod } | null = null
  #peakBytes = 0

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** The most that any pod of this lane has used, page cache included; 0 where pods are not measured. */
  get peakBytes(): number {
    this.#notePeak()
    return this.#peakBytes
  }

  /** Errors are those of `LoadPod.request`; what passes is tried again until the signal aborts. */
  async carry<T>(
    destination: Destination,
    request: LoadRequest,
    result: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T> {
    // A process that is started after the claim was lost would do what another worker does by now.
    signal.throwIfAborted()
    const carryOnce = async () => (await this.#pod(destination)).request(request, result)
    return replay(RETRIES, carryOnce, { signal })
  }

  /** Ends what is being done, at once. The next request starts a new process. */
  async kill(): Promise<void> {
    await this.#current?.pod.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#notePeak()
    await this.#current?.pod[Symbol.asyncDispose]()
    this.#current = null
  }

  async #pod({ arm, lake, settings }: Destination): Promise<LoadPod> {
    const { surroundings, entry, memoryCapBytes, requestDeadlineMs } = this.#options
    const setup = { arm, environment: environmentOf(surroundings, lake, memoryCapBytes), settings }
    if (this.#current !== null && !this.#current.pod.dead && isDeepStrictEqual(this.#current.setup, setup))
      return this.#current.pod
    await this[Symbol.asyncDispose]()
    const pod = await LoadPod.start({ entry, setup, memoryCapBytes, requestDeadlineMs })
    this.#current = { setup, pod }
    return pod
  }

  #notePeak(): void {
    this.#peakBytes = Math.max(this.#peakBytes, this.#current?.pod.peakBytes ?? 0)
  }
}
