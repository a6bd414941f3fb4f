import type { Pod, PodMechanismName } from './pod.ts'
import type { Hang } from './watchdog.ts'

/** How a process of a pod ended, as far as the subprocess tells. */
export interface ProcessExit {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
}

export type Death =
  | {
      readonly status: 'oom-killed'
      readonly mechanism: PodMechanismName
      /** Processes that the kernel killed for memory, the sidecar's included. */
      readonly oomKills: number
      /** Null where the kernel doesn't record a peak. */
      readonly peakBytes: number | null
      readonly capBytes: number | null
    }
  | ({ readonly status: 'hang' } & Hang)
  | { readonly status: 'killed'; readonly signal: string }
  /** Null when the process couldn't be started at all. */
  | { readonly status: 'exited'; readonly exitCode: number | null }

/**
 * Says why a process ended. The pod's own counter comes first: when the kernel kills the sidecar, the process that
 * waits for it may hang or end with an error, and memory was the cause all the same. A SIGKILL without the counter is
 * someone else's, among them the kernel's when the whole machine is out of memory.
 */
export function classifyExit(pod: Pod, exit: ProcessExit, hang: Hang | null = null): Death {
  const usage = pod.usage()
  if (usage !== null && usage.oomKills > 0) {
    const { oomKills, peakBytes } = usage
    return {
      status: 'oom-killed',
      mechanism: pod.mechanism,
      oomKills,
      peakBytes,
      capBytes: pod.memoryCapBytes,
    }
  }
  if (hang !== null) return { status: 'hang', ...hang }
  if (exit.signal !== undefined) return { status: 'killed', signal: exit.signal }
  return { status: 'exited', exitCode: exit.exitCode ?? null }
}
