import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { GLIBC_MALLOC } from '../../platform/pods/allocator.ts'
import { classifyExit } from '../../platform/pods/exit.ts'
import type { Pod } from '../../platform/pods/pod.ts'
import type { PodSubprocess } from '../../platform/pods/subprocess.ts'
import { Watchdog } from '../../platform/pods/watchdog.ts'
import { errorEventSchema, progressEventSchema } from '../processes/protocol.ts'
import { CellFailed } from './failure.ts'

const STDERR_TAIL = 600
/** How long a child that was told to exit may take to close its connections. */
const EXIT_GRACE_MS = 10_000

const anyEventSchema = z.looseObject({ event: z.string() })

export interface Waiting {
  /** Without an event for so long, progress included, the child counts as hung. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * A child process of the orchestrator in a pod, spoken to by `processes/protocol.ts`.
 * Whatever ends it early becomes a {@link CellFailed} with the result that the cell gets.
 */
export class Child implements AsyncDisposable {
  readonly pod: Pod
  readonly #subprocess: PodSubprocess
  readonly #lines: AsyncIterator<unknown>

  constructor(pod: Pod, entry: URL, request: object) {
    this.pod = pod
    this.#subprocess = pod.spawn(process.execPath, [fileURLToPath(entry)], { env: GLIBC_MALLOC })
    this.#lines = this.#subprocess[Symbol.asyncIterator]()
    this.#send(request)
  }

  /** Waits for one event. Events of progress may come before it. */
  async event<Schema extends z.ZodType>(schema: Schema, waiting: Waiting): Promise<z.output<Schema>> {
    for (;;) {
      const event = anyEventSchema.parse(JSON.parse(await this.#line(waiting)))
      if (event.event === 'progress') {
        const { done, total } = progressEventSchema.parse(event)
        waiting.onProgress?.(done, total)
      } else if (event.event === 'error') {
        throw this.#failed(errorEventSchema.parse(event))
      } else {
        return schema.parse(event)
      }
    }
  }

  tell(command: 'go' | 'exit'): void {
    this.#send({ command })
  }

  /** Lets the child close what it has open, and waits for its end. */
  async exit(): Promise<void> {
    this.tell('exit')
    const timer = setTimeout(() => void this.pod.kill(), EXIT_GRACE_MS)
    await this.#subprocess
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pod.kill()
    await this.#subprocess
  }

  #send(message: object): void {
    // A child that has died reports itself by the end of its stdout; writing to it must not be a second error.
    this.#subprocess.stdin?.on('error', () => {})
    this.#subprocess.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  async #line(waiting: Waiting): Promise<string> {
    const kill = () => void this.pod.kill()
    waiting.signal.addEventListener('abort', kill, { once: true })
    using watchdog = new Watchdog({ silenceMs: null, deadlineMs: waiting.deadlineMs }, kill)
    try {
      waiting.signal.throwIfAborted()
      const next = await this.#lines.next()
      return next.done === true ? await this.#died(waiting, watchdog) : String(next.value)
    } finally {
      waiting.signal.removeEventListener('abort', kill)
    }
  }

  async #died(waiting: Waiting, watchdog: Watchdog): Promise<never> {
    const result = await this.#subprocess
    waiting.signal.throwIfAborted()
    const death = classifyExit(this.pod, result, watchdog.hang)
    const said = result.stderr.slice(-STDERR_TAIL)
    switch (death.status) {
      case 'oom-killed':
        throw this.#oomKilled(death.peakBytes)
      case 'hang':
        throw new CellFailed({ status: 'hang', afterMs: death.afterMs })
      case 'killed':
        throw processDied(`the process was ended by ${death.signal}. ${said}`)
      case 'exited':
        throw processDied(`the process ended with exit code ${death.exitCode} before it was done. ${said}`)
    }
  }

  #failed(event: z.output<typeof errorEventSchema>): CellFailed {
    const { code, message } = event
    const death = classifyExit(this.pod, {})
    if (death.status === 'oom-killed') return this.#oomKilled(death.peakBytes)
    return new CellFailed({ status: 'engine-error', code, message })
  }

  /** Any process of the pod that the kernel killed for memory counts, be it the child or a process of its own. */
  #oomKilled(peakBytes: number | null): CellFailed {
    const capBytes = this.pod.memoryCapBytes ?? 0
    return new CellFailed({
      status: 'oom-killed',
      peakBytes: peakBytes ?? capBytes,
      capBytes,
      mechanism: this.pod.mechanism,
    })
  }
}

function processDied(message: string): CellFailed {
  return new CellFailed({ status: 'engine-error', code: 'PROCESS_DIED', message: message.trim() })
}
