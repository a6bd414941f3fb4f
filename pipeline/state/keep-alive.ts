import { setTimeout as sleep } from 'node:timers/promises'
import { LakeduelError } from '../../platform/errors.ts'

export interface KeptAlive extends AsyncDisposable {
  /** Aborted, with the error as its reason, once the lease or claim belongs to someone else. */
  readonly signal: AbortSignal
}

/**
 * Renews a lease or claim until it is disposed of. What can't be asked because Postgres is away is asked again: the holder
 * goes on meanwhile, and what it writes is refused if the lease was lost.
 */
export function keepAlive(renew: () => Promise<void>, everyMs: number): KeptAlive {
  const lost = new AbortController()
  const stopped = new AbortController()
  const renewing = renewUntilLost(renew, everyMs, stopped.signal).catch((error: unknown) => {
    if (!stopped.signal.aborted) lost.abort(error)
  })
  return {
    signal: lost.signal,
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await renewing
    },
  }
}

async function renewUntilLost(
  renew: () => Promise<void>,
  everyMs: number,
  stopped: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(everyMs, undefined, { signal: stopped })
    await renew().catch((error: unknown) => {
      if (error instanceof LakeduelError && error.kind === 'transient') return
      throw error
    })
  }
}
