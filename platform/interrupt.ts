import { LakeduelError } from './errors.ts'

const forcedExitSteps = new Set<() => void>()
let controller: AbortController | undefined

/** The reason of an aborted signal, and what a command ends with after Ctrl-C. */
export function interrupted(signalName: string): LakeduelError {
  return new LakeduelError('INTERRUPTED', `Interrupted by ${signalName}.`, { facts: { signal: signalName } })
}

/**
 * The one place that turns SIGINT and SIGTERM into an AbortSignal. The first signal aborts, so that everyone cleans up
 * in order; the second one runs the steps of `onForcedExit` and ends the process at once.
 */
export function interruptSignal(): AbortSignal {
  controller ??= listen(new AbortController())
  return controller.signal
}

function listen(target: AbortController): AbortController {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (target.signal.aborted) exitAtOnce()
      process.stderr.write(`\n${name}: cleaning up. Once more ends at once.\n`)
      target.abort(interrupted(name))
    })
  }
  return target
}

function exitAtOnce(): never {
  for (const step of forcedExitSteps) step()
  process.exit(130)
}

/** Registers a synchronous step, such as killing a child, for the second signal. Returns how to take it back. */
export function onForcedExit(step: () => void): () => void {
  forcedExitSteps.add(step)
  return () => forcedExitSteps.delete(step)
}
