import { setTimeout as sleep } from 'node:timers/promises'
import { LakeduelError } from '../errors.ts'

const KILL_TIMEOUT_MS = 10_000

/**
 * Kills until nobody is left, since a member may start another one between the look and the kill.
 * @throws LakeduelError `POD_FAILED` when processes outlive SIGKILL for 10 s, as those in uninterruptible sleep do
 */
export async function killAll(processes: () => readonly number[]): Promise<void> {
  const giveUpAt = performance.now() + KILL_TIMEOUT_MS
  for (let members = processes(); members.length > 0; members = processes()) {
    if (performance.now() > giveUpAt) throw survivors(members)
    for (const member of members) killOne(member)
    await sleep(5)
  }
}

/** Whether a process has the id, be it ours or another user's. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function killOne(processId: number): void {
  try {
    process.kill(processId, 'SIGKILL')
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ESRCH'
    if (!gone) throw error
  }
}

function survivors(members: readonly number[]): LakeduelError {
  return new LakeduelError(
    'POD_FAILED',
    `Processes ${members.join(', ')} outlived SIGKILL for ${KILL_TIMEOUT_MS / 1000} s.`,
    {
      facts: { members },
      remedy: 'They wait for a device (state D in `ps`); see what that is before the next run.',
    },
  )
}
