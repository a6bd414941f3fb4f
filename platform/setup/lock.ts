import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from '../disk.ts'
import { identifyProcess, isAlive, type ProcessIdentity, processIdentitySchema } from '../process-identity.ts'

const POLL_MS = 200

/**
 * Runs work while no other process holds the lock, waiting for one that does. The lock is a folder that is
 * renamed into place with its owner's identity already in it; renaming onto a folder that isn't empty fails everywhere.
 * A lock whose owner is dead is taken over. Should two processes take it over at once, both work: what they make is
 * renamed into place, so the later one finds it made.
 */
export async function withLock<T>(lock: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await acquire(lock, options)
  try {
    return await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

export interface LockOptions {
  readonly signal: AbortSignal | undefined
  /** Told once, when another process has the lock. */
  readonly onWait: (owner: ProcessIdentity) => void
}

async function acquire(lock: string, { signal, onWait }: LockOptions): Promise<void> {
  await mkdir(dirname(lock), { recursive: true })
  const candidate = await mkdtemp(`${lock}-`)
  try {
    await writeFile(join(candidate, 'owner.json'), JSON.stringify(await identifyProcess(process.pid)))
    for (let waited = false; !(await renameIfFree(candidate, lock)); waited = true) {
      const owner = await readOwner(lock)
      if (owner !== null && !waited) onWait(owner)
      if (owner !== null && !(await isAlive(owner))) await rm(lock, { recursive: true, force: true })
      await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() =>
        signal?.throwIfAborted(),
      )
    }
  } finally {
    await rm(candidate, { recursive: true, force: true })
  }
}

async function renameIfFree(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM') return false
    throw error
  }
}

async function readOwner(lock: string): Promise<ProcessIdentity | null> {
  const text = await readFile(join(lock, 'owner.json'), 'utf8').catch(() => null)
  return text === null ? null : processIdentitySchema.parse(JSON.parse(text))
}
