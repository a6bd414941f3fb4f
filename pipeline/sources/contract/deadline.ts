import { setTimeout as sleep } from 'node:timers/promises'

/** @returns what the promise gives, or null when it takes longer */
export async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | null> {
  const timer = new AbortController()
  const late = sleep(milliseconds, null, { signal: timer.signal }).catch(() => null)
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}
