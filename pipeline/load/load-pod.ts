import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { ERROR_CODES, type ErrorCode, LakeduelError } from '../../platform/errors.ts'
import { GLIBC_MALLOC } from '../../platform/pods/allocator.ts'
import { classifyExit } from '../../platform/pods/exit.ts'
import { createPod } from '../../platform/pods/mechanism.ts'
import type { Pod } from '../../platform/pods/pod.ts'
import type { PodSubprocess } from '../../platform/pods/subprocess.ts'
import { Watchdog } from '../../platform/pods/watchdog.ts'
import { loadDeath } from './load-death.ts'
import type { LoadRequest, LoadSetup } from './protocol.ts'
import { loadReplySchema } from './protocol.ts'

export interface LoadPodOptions {
  /** The program of the load process, which calls `serveLoads`. */
  readonly entry: URL
  readonly setup: LoadSetup
  readonly memoryCapBytes: number | null
  /** A request that takes longer counts as hung, and its pod is killed. */
  readonly requestDeadlineMs: number
}

const STDERR_TAIL = 800
const codeSchema = z.custom<ErrorCode>((code) => typeof code === 'string' && code in ERROR_CODES)

/**
 * A load process in a pod of its own, so that a merge that needs too much memory costs one batch and no other job.
 * It is used for one request at a time, and by one table after another of the same arm and lake.
 */
export class LoadPod implements AsyncDisposable {
  readonly #pod: Pod
  readonly #subprocess: PodSubprocess
  readonly #lines: AsyncIterator<unknown>
  readonly #options: LoadPodOptions
  #ready: Promise<unknown> | null = null
  #dead = false

  private constructor(pod: Pod, options: LoadPodOptions) {
    this.#pod = pod
    this.#options = options
    this.#subprocess = pod.spawn(process.execPath, [fileURLToPath(options.entry)], { env: GLIBC_MALLOC })
    this.#lines = this.#subprocess[Symbol.asyncIterator]()
    // A process that died reports itself by the end of its stdout; writing to it must not be a second error.
    this.#subprocess.stdin?.on('error', () => undefined)
    this.#send(options.setup)
  }

  static async start(options: LoadPodOptions): Promise<LoadPod> {
    const pod = await createPod({ name: 'load', memoryCapBytes: options.memoryCapBytes })
    return new LoadPod(pod, options)
  }

  /** Whether it can take requests no more. */
  get dead(): boolean {
    return this.#dead
  }

  get peakBytes(): number | null {
    return this.#pod.usage()?.peakBytes ?? null
  }

  /**
   * @throws LakeduelError as the backend does; `ENGINE_OUT_OF_MEMORY` also when the cap killed the process,
   *   `SIDECAR_DIED` when something else did, `ENGINE_HUNG` after the deadline
   */
  async request<T>(request: LoadRequest, result: z.ZodType<T>): Promise<T> {
    this.#ready ??= this.#answer()
    try {
      await this.#ready
    } catch (error) {
      // It could not connect, and has ended; the next request needs another process.
      this.#dead = true
      throw error
    }
    this.#send(request)
    return result.parse(await this.#answer())
  }

  /** Ends the process at once, as a lost lease asks for. */
  async kill(): Promise<void> {
    this.#dead = true
    await this.#pod.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dead = true
    this.#subprocess.stdin?.end()
    await this.#pod[Symbol.asyncDispose]()
    await this.#subprocess
  }

  #send(message: object): void {
    this.#subprocess.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  async #answer(): Promise<unknown> {
    const { requestDeadlineMs } = this.#options
    using watchdog = new Watchdog({ silenceMs: null, deadlineMs: requestDeadlineMs }, () => void this.kill())
    const line = await this.#lines.next()
    if (line.done === true) throw await this.#died(watchdog)
    const reply = loadReplySchema.parse(JSON.parse(String(line.value)))
    if (reply.status === 'ready') return reply.processes
    if (reply.status === 'done') return reply.result
    const code = codeSchema.safeParse(reply.code)
    // The kernel may have killed a process of the pod that is not the one that answers.
    if (classifyExit(this.#pod, {}).status === 'oom-killed') throw await this.#died(watchdog)
    throw new LakeduelError(code.success ? code.data : 'ENGINE_FAILED', reply.message, {
      facts: reply.facts,
      ...(reply.remedy === null ? {} : { remedy: reply.remedy }),
    })
  }

  async #died(watchdog: Watchdog): Promise<LakeduelError> {
    const asked = this.#dead
    this.#dead = true
    await this.#pod.kill()
    const end = await this.#subprocess
    return loadDeath({
      death: classifyExit(this.#pod, end, watchdog.hang),
      said: end.stderr.slice(-STDERR_TAIL),
      measured: this.#pod.usage() !== null,
      asked,
    })
  }
}
