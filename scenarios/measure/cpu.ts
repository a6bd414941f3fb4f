import { readFileSync } from 'node:fs'
import type { Pod } from '../../platform/pods/pod.ts'

/** The unit of times in procfs is a hundredth of a second on every Linux, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100

export interface CpuRecord {
  /** User and system time of all processes of the pod. */
  readonly cpuSeconds: number
  /** User and system time of this process meanwhile, all threads. */
  readonly orchestratorCpuSeconds: number
}

/** Counts processor time from now; the function that it returns ends the count. */
export function startCpuMeasurement(pod: Pod): () => CpuRecord {
  const podBefore = podSeconds(pod)
  const ownBefore = process.cpuUsage()
  return () => {
    const own = process.cpuUsage(ownBefore)
    return {
      cpuSeconds: Math.max(0, podSeconds(pod) - podBefore),
      orchestratorCpuSeconds: (own.user + own.system) / 1e6,
    }
  }
}

/** The pod's own account where it has one; else what its living members and the children that they waited for have used. */
function podSeconds(pod: Pod): number {
  return (
    pod.cpuSeconds() ?? pod.processes().reduce((total, processId) => total + processSeconds(processId), 0)
  )
}

/** utime, stime, cutime and cstime (fields 14 to 17) of /proc/PID/stat; 0 for a process that is gone. */
function processSeconds(processId: number): number {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'latin1')
    const afterCommand = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return afterCommand.slice(11, 15).reduce((total, ticks) => total + Number(ticks), 0) / TICKS_PER_SECOND
  } catch {
    return 0
  }
}
