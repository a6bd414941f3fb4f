import { setTimeout as sleep } from 'node:timers/promises'
import { LakeduelError } from '../../platform/errors.ts'

export interface ReplayPolicy {
  /** Calls in all, the first included. */
  readonly tries: number
  readonly firstWaitMs: number
  /** Waits double up to this, since waits without a bound let a writer sleep for minutes on a table that is free. */
  readonly longestWaitMs: number
}

/**
 * Does it again when another writer was first, or a connection or a process was lost, after a jittered wait. Throws the
 * last error, or the signal's reason.
 */
export async function replay<T>(
  { tries, firstWaitMs, longestWaitMs }: ReplayPolicy,
  action: () => Promise<T>,
  { signal, isWorthIt = isPassing }: ReplayOptions = {},
): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await action()
    } catch (error) {
      if (!isWorthIt(error) || tried >= tries || signal?.aborted === true) throw error
    }
    const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** (tried - 1))
    await sleep(waitMs * (0.5 + Math.random()), undefined, signal === undefined ? {} : { signal })
  }
}

export interface ReplayOptions {
  readonly signal?: AbortSignal
  /** Which failures are tried again. */
  readonly isWorthIt?: (error: unknown) => boolean
}

/** Whether the same call may succeed later. */
export function isPassing(error: unknown): boolean {
  return error instanceof LakeduelError && error.kind !== 'terminal'
}

export function isConflict(error: unknown): boolean {
  return error instanceof LakeduelError && error.kind === 'conflict'
}
