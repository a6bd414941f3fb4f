import { createInterface } from 'node:readline'
import type { z } from 'zod'
import { LakeduelError, messageOf } from '../../platform/errors.ts'

export interface ChildContext {
  /** Aborts when the child is to drain. */
  readonly drain: AbortSignal
  readonly emit: (event: object) => void
}

/**
 * Runs this process as a child: one request on stdin, events on stdout, draining on SIGTERM or the end of stdin.
 * A second signal ends it at once.
 */
export async function runChild<Schema extends z.ZodType>(
  requestSchema: Schema,
  work: (request: z.output<Schema>, context: ChildContext) => Promise<void>,
): Promise<void> {
  const drain = new AbortController()
  const stop = (reason: string) => {
    if (drain.signal.aborted) process.exit(1)
    drain.abort(new LakeduelError('INTERRUPTED', `Asked to drain by ${reason}.`))
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  // Ctrl-C of a terminal reaches the whole process group; the parent turns it into SIGTERM.
  process.on('SIGINT', () => undefined)
  // The parent may be gone, and then nobody reads what is written.
  process.stdout.on('error', () => undefined)
  const lines = createInterface({ input: process.stdin })
  const request = await firstLine(lines)
  if (request === null) return
  process.stdin.once('end', () => {
    if (!drain.signal.aborted) stop('the end of its parent')
  })
  try {
    await work(requestSchema.parse(JSON.parse(request)), {
      drain: drain.signal,
      emit: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
    })
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = error instanceof LakeduelError ? error.exitCode : 1
  } finally {
    process.stdin.destroy()
  }
}

function firstLine(lines: ReturnType<typeof createInterface>): Promise<string | null> {
  return new Promise((resolve) => {
    lines.once('line', resolve)
    lines.once('close', () => resolve(null))
  })
}
