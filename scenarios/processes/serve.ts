import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { z } from 'zod'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { commandSchema } from './protocol.ts'

export interface Channel {
  emit(event: object): Promise<void>
  /** Resolves when the orchestrator sends the command; rejects when it closes stdin instead, as it does when it dies. */
  waitFor(command: 'go' | 'exit'): Promise<void>
}

/**
 * Runs this process as a child of the orchestrator: reads one request, handles it, and turns an error into an event.
 * Stdin that closes early ends the process, so that no child outlives its orchestrator.
 */
export async function serve<Schema extends z.ZodType>(
  requestSchema: Schema,
  handle: (request: z.output<Schema>, channel: Channel) => Promise<void>,
): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const channel: Channel = {
    emit: async (event) => {
      if (!process.stdout.write(`${JSON.stringify(event)}\n`)) await once(process.stdout, 'drain')
    },
    waitFor: async (command) => {
      const line = await lines.next()
      if (line.done === true) process.exit(1)
      const received = commandSchema.parse(JSON.parse(line.value))
      if (received.command !== command) throw new Error(`expected "${command}", got "${received.command}"`)
    },
  }
  try {
    const first = await lines.next()
    if (first.done === true) process.exit(1)
    await handle(requestSchema.parse(JSON.parse(first.value)), channel)
  } catch (error) {
    const details = error instanceof LakeduelError ? error : undefined
    await channel.emit({
      event: 'error',
      code: details?.code ?? 'ENGINE_FAILED',
      message: messageOf(error),
      remedy: details?.remedy ?? null,
    })
    process.exitCode = 1
  } finally {
    process.stdin.destroy()
  }
}
