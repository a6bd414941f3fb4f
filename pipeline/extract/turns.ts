import { setImmediate } from 'node:timers/promises'

/**
 * Lets everything else of this process have its turn: a request that was just made leaves, and an answer that is there is read,
 * before the caller goes on. For between two pieces of work that each take this thread for some milliseconds.
 */
export function otherTurns(): Promise<void> {
  return setImmediate()
}
