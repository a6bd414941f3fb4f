import { readdirSync } from 'node:fs'
import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import pRetry from 'p-retry'
import { cgroupProcesses, cgroupsBelow } from './cgroup-files.ts'
import { killAll } from './kill.ts'
import { isAbandonedPodName } from './pod-name.ts'

/** Makes a cgroup, and removes it again when its configuration fails. */
export async function makeCgroup(directory: string, configure: (() => Promise<void>) | null): Promise<void> {
  await mkdir(directory)
  try {
    await configure?.()
  } catch (error) {
    await removeCgroup(directory)
    throw error
  }
}

/**
 * Removes a cgroup without members, and first those below it, which members that were killed left. The kernel says EBUSY
 * for some milliseconds after the last member was reaped.
 */
export async function removeCgroup(directory: string): Promise<void> {
  for (const below of cgroupsBelow(directory)) await removeCgroup(below)
  await pRetry(() => rmdir(directory), { retries: 20, minTimeout: 5, factor: 1.5, maxTimeout: 500 })
}

/** Removes the pods below a cgroup whose owners have ended. */
export async function sweepCgroups(parent: string): Promise<void> {
  for (const name of readdirSync(parent).filter(isAbandonedPodName)) {
    const directory = join(parent, name)
    await killAll(() => cgroupProcesses(directory))
    await removeCgroup(directory)
  }
}
