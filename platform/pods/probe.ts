import type { Pod } from './pod.ts'

export const PROBE = { name: 'probe', memoryCapBytes: 64 * 2 ** 20 } as const

/** Starts a process in a pod that was made to see whether pods can be made, and throws when it couldn't enter. */
export async function proveEntry(pod: Pod): Promise<void> {
  const { failed, stderr, shortMessage } = await pod.spawn('true', [])
  if (failed) throw new Error(`no process can be put into the pod: ${stderr === '' ? shortMessage : stderr}`)
}
