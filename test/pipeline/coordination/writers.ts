import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import type { writerSchema } from './writer-process.ts'

export type WriterRequest = z.input<typeof writerSchema>
const eventSchema = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('ready') }),
  z.strictObject({ event: z.literal('attempt'), batches: z.int(), failed: z.boolean() }),
  z.strictObject({
    event: z.literal('committed'),
    runId: z.string(),
    batchIndex: z.int(),
    batchesTogether: z.int(),
  }),
  z.strictObject({ event: z.literal('done') }),
])
export type WriterEvent = z.output<typeof eventSchema>

/** A writer in a process, with what it has said so far. */
export interface WriterProcess {
  readonly pid: number
  readonly events: readonly WriterEvent[]
  /** Resolves once it has said so much; its end before that is an error. */
  until(what: (event: WriterEvent) => boolean): Promise<void>
  begin(): void
  /** Signals it and its own children, as the end of a pod does. */
  signal(name: NodeJS.Signals): void
  /** Resolves to what killed it, or null. */
  readonly ended: Promise<string | null>
}

const PROGRAM = fileURLToPath(new URL('./writer-process.ts', import.meta.url))

/** Starts a writer, which is killed with the test. */
export function startWriter(request: WriterRequest, { fault = '' }: { fault?: string } = {}): WriterProcess {
  const subprocess = execa(process.execPath, [PROGRAM], {
    stdin: 'pipe',
    env: { LAKEDUEL_FAULT: fault },
    reject: false,
    detached: true,
  })
  const signal = (name: NodeJS.Signals) => {
    try {
      if (subprocess.pid !== undefined) process.kill(-subprocess.pid, name)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
  onTestFinished(() => signal('SIGKILL'))
  const events: WriterEvent[] = []
  const lines = createInterface({ input: subprocess.stdout })
  lines.on('line', (line) => events.push(eventSchema.parse(JSON.parse(line))))
  const closed = once(lines, 'close')
  subprocess.stdin.on('error', () => undefined)
  subprocess.stdin.write(`${JSON.stringify(request)}\n`)
  return {
    pid: subprocess.pid ?? 0,
    events,
    async until(what) {
      while (!events.some(what)) {
        const next = await Promise.race([once(lines, 'line'), closed.then(() => null)])
        if (next === null && !events.some(what)) {
          throw new Error(`the writer ended too early: ${(await subprocess).stderr.slice(-2_000)}`)
        }
      }
    },
    begin: () => void subprocess.stdin.write('begin\n'),
    signal,
    ended: Promise.all([subprocess, closed]).then(([end]) => end.signal ?? null),
  }
}

export const isReady = ({ event }: WriterEvent): boolean => event === 'ready'
export const isDone = ({ event }: WriterEvent): boolean => event === 'done'

/** Lets writers begin at the same moment, and waits until all are done. */
export async function runWriters(writers: readonly WriterProcess[]): Promise<void> {
  await Promise.all(writers.map((writer) => writer.until(isReady)))
  for (const writer of writers) writer.begin()
  await Promise.all(writers.map((writer) => writer.until(isDone)))
}
