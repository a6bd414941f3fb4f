import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { TEST_OPTIONS, type TestState } from './fixture.ts'
import type { requestSchema } from './process.ts'

type Request = z.input<typeof requestSchema>
const eventSchema = z.looseObject({ event: z.string() })
export type ChildEvent = z.output<typeof eventSchema>

/** A process that plays a role, with what it has said so far. */
export interface Child {
  readonly events: readonly ChildEvent[]
  /** The first event of that name, waited for; the process's end before it is an error. */
  until(name: string): Promise<ChildEvent>
  signal(name: NodeJS.Signals): void
  /** Resolves to what killed it, or null. */
  readonly ended: Promise<NodeJS.Signals | null>
}

/** Starts a process in a role of `process.ts`; it is killed with the test. */
export function startChild(
  { endpoint, schema }: Pick<TestState, 'endpoint' | 'schema'>,
  role: Request['role'],
  { fault = '', ...options }: { fault?: string } & Partial<Omit<Request['options'], 'schema'>> = {},
): Child {
  const request: Request = { endpoint, role, options: { ...TEST_OPTIONS, ...options, schema } }
  const subprocess = execa(process.execPath, [fileURLToPath(new URL('./process.ts', import.meta.url))], {
    input: JSON.stringify(request),
    env: { LAKEDUEL_FAULT: fault },
    stderr: 'inherit',
    reject: false,
  })
  onTestFinished(() => {
    subprocess.kill('SIGKILL')
  })
  const events: ChildEvent[] = []
  const lines = createInterface({ input: subprocess.stdout })
  lines.on('line', (line) => events.push(eventSchema.parse(JSON.parse(line))))
  const closed = once(lines, 'close')
  return {
    events,
    async until(name) {
      for (;;) {
        const found = events.find(({ event }) => event === name)
        if (found !== undefined) return found
        const next = await Promise.race([once(lines, 'line'), closed.then(() => null)])
        if (next === null && !events.some(({ event }) => event === name)) {
          throw new Error(`the process ended before it was ${name}, after ${JSON.stringify(events)}`)
        }
      }
    },
    signal: (name) => void subprocess.kill(name),
    ended: Promise.all([subprocess, closed]).then(([{ signal }]) => signal ?? null),
  }
}
