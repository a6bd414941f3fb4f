import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'
import { onForcedExit } from '../../platform/interrupt.ts'
import { classifyExit, type Death } from '../../platform/pods/exit.ts'
import { createPod } from '../../platform/pods/mechanism.ts'
import type { Pod } from '../../platform/pods/pod.ts'

export interface ChildOptions<Event extends z.ZodType> {
  /** For people who look at the machine meanwhile. */
  readonly name: string
  readonly entry: URL
  /** Of Node, for the memory of the process. */
  readonly nodeFlags: readonly string[]
  readonly request: object
  readonly memoryCapBytes: number | null
  readonly events: Event
  readonly onEvent: (event: z.output<Event>) => void
  /** Aborts when the child is to drain. */
  readonly drain: AbortSignal
  /** How long draining may take before the child is killed. */
  readonly graceMs: number
}

export interface ChildEnd {
  readonly death: Death
  /** The end of what it wrote to stderr. */
  readonly said: string
  /** The highest use of its pod, page cache included; null where pods are not measured. */
  readonly peakBytes: number | null
}

const STDERR_TAIL = 2_000

/** Runs a child of a sync in a pod of its own, from its request to its end. */
export async function runChildProcess<Event extends z.ZodType>(
  options: ChildOptions<Event>,
): Promise<ChildEnd> {
  await using pod = await createPod({ name: options.name, memoryCapBytes: options.memoryCapBytes })
  const child = pod.spawn(process.execPath, [...options.nodeFlags, fileURLToPath(options.entry)])
  child.stdin.on('error', () => undefined)
  child.stdin.write(`${JSON.stringify(options.request)}\n`)
  const stopDraining = drainOn(options, pod, child)
  const forget = onForcedExit(() => killNow(pod))
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    const event = options.events.safeParse(JSON.parse(line))
    if (event.success) options.onEvent(event.data)
  })
  const end = await child
  forget()
  stopDraining()
  const peakBytes = pod.usage()?.peakBytes ?? null
  return { death: classifyExit(pod, end), said: end.stderr.slice(-STDERR_TAIL), peakBytes }
}

/** For the second Ctrl-C, after which nothing can be waited for. */
function killNow(pod: Pod): void {
  for (const processId of pod.processes()) process.kill(processId, 'SIGKILL')
}

/** SIGTERM when the drain signal aborts, and SIGKILL to the whole pod when the grace period is over. Returns how to stop that. */
function drainOn(
  { drain, graceMs }: Pick<ChildOptions<z.ZodType>, 'drain' | 'graceMs'>,
  pod: Pod,
  child: { kill(signal: NodeJS.Signals): unknown },
): () => void {
  let timer: NodeJS.Timeout | null = null
  const start = () => {
    child.kill('SIGTERM')
    timer = setTimeout(() => void pod.kill(), graceMs)
  }
  if (drain.aborted) start()
  else drain.addEventListener('abort', start, { once: true })
  return () => {
    drain.removeEventListener('abort', start)
    if (timer !== null) clearTimeout(timer)
  }
}
