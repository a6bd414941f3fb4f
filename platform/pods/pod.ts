/**
 * A **pod** is a group of processes under one memory cap, as a Kubernetes pod is. A **mechanism** is what enforces the
 * cap: a cgroup that we make ourselves, or one that systemd or Docker makes for us.
 */
import type { PodSubprocess, SpawnOptions } from './subprocess.ts'

/** In the order in which they are tried. `none` means observed, not capped. */
export const POD_MECHANISMS = ['cgroup-v2', 'cgroup-v1', 'systemd-run', 'docker', 'none'] as const
export type PodMechanismName = (typeof POD_MECHANISMS)[number]

export interface PodRequest {
  /** For people who look at the machine meanwhile: lower case letters, digits and hyphens. */
  readonly name: string
  /** Null makes a pod that is measured and not capped. */
  readonly memoryCapBytes: number | null
}

export interface PodUsage {
  /** What is charged to the pod now, page cache and kernel memory included. */
  readonly currentBytes: number
  /** The highest `currentBytes` since the pod was made or `resetPeak()`; null where the kernel is too old to tell. */
  readonly peakBytes: number | null
  /** The private anonymous part of `currentBytes` (heap, stacks), which the kernel can't take back without swap. */
  readonly anonBytes: number
  /** Processes of the pod that the kernel killed because the pod was at its cap, since the pod was made. */
  readonly oomKills: number
}

export interface Pod extends AsyncDisposable {
  readonly mechanism: PodMechanismName
  readonly memoryCapBytes: number | null
  readonly capped: boolean
  /**
   * Starts a process in the pod. It is a member before its first instruction, and so are all of its children. In Docker
   * the id of the subprocess is that of Docker's client: ask the program itself for the id to measure.
   */
  spawn(file: string, args: readonly string[], options?: SpawnOptions): PodSubprocess
  /** The ids of all members, as this process sees them. */
  processes(): readonly number[]
  /** Null where the mechanism has no accounting of its own. */
  usage(): PodUsage | null
  /** Starts `peakBytes` anew; false where the kernel can't, and then peaks are since the pod was made. */
  resetPeak(): boolean
  /** User and system time of all members, those that ended included; null where the mechanism doesn't tell. */
  cpuSeconds(): number | null
  /** Sends SIGKILL to all members and waits until they are gone. */
  kill(): Promise<void>
}

export interface PodMechanism {
  readonly name: PodMechanismName
  /** Makes a capped pod and removes it. Resolves to what it found, throws with the reason when pods can't be made this way. */
  probe(): Promise<string>
  readonly create: (request: PodRequest) => Promise<Pod>
  /** Removes the pods of runs whose process is gone, and kills what still runs in them. */
  sweep(): Promise<void>
}
