import type { Pod } from '../../platform/pods/pod.ts'
import { ProcessMemory } from './process-memory.ts'
import { Timeline } from './timeline.ts'

/** A sample takes 0.15 ms of the cgroup and 0.5 ms of two processes, so that both cost less than 1 % of one processor. */
const CGROUP_INTERVAL_MS = 50
const PROCESS_INTERVAL_MS = 250
/** Reading PSS walks all page tables of a process under its `mmap_lock`, so its interval grows with what it takes. */
const PSS_INTERVAL_MS = 500
const PSS_SHARE_OF_TIME = 1 / 500
const TIMELINE_POINTS = 60

export interface MemoryOptions {
  /** Process ids by role: `loader`, `sidecar`. Other processes of the pod go by the name of their command. */
  readonly roles: Readonly<Record<string, number>>
}

/** All in bytes; maps one to one to the `memory` of a phase in the results. */
export interface MemoryRecord {
  /** The sum of `floorBytesByRole`. */
  readonly floorBytes: number
  /** Resident size at the start, by role. A process that started later has none, since all it holds came in this phase. */
  readonly floorBytesByRole: Readonly<Record<string, number>>
  /**
   * VmHWM by role since the start. Misses the growth of a process between the last poll (every 250 ms) and its end,
   * and processes that lived for less than that; counts pages that processes share once for each of them.
   */
  readonly vmHwmBytes: Readonly<Record<string, number>>
  /** The sum over processes of VmHWM less the resident size at the floor. Peaks of different moments are added up. */
  readonly addedBytes: number
  /** Page cache and kernel memory included. Kept by the kernel and exact where it can be reset, else the highest of the samples. */
  readonly cgroupPeakBytes: number | null
  /** The highest sample, every 50 ms, of the cgroup's private anonymous memory; misses spikes between, shared memory and tmpfs. */
  readonly anonPeakBytes: number | null
  /** The highest sample, every 500 ms or more, of the sum of PSS; misses spikes between. */
  readonly pssPeakBytes: number | null
}

export interface MemoryResult {
  readonly record: MemoryRecord
  /** The cgroup's private anonymous memory by the time since the start; empty where there is no cgroup. */
  readonly timeline: Timeline['points']
  readonly samples: number
  /** What the sampling itself took of this process's time. */
  readonly samplerSeconds: number
}

/** Zeroes the peaks of a pod and of its processes, takes the floor, and samples until `stop()`. */
export function startMemoryMeasurement(pod: Pod, options: MemoryOptions): MemoryMeasurement {
  return new MemoryMeasurement(pod, options)
}

export class MemoryMeasurement implements Disposable {
  readonly #pod: Pod
  readonly #roleOf: ReadonlyMap<number, string>
  readonly #living = new Map<number, ProcessMemory>()
  readonly #ended: ProcessMemory[] = []
  readonly #floors = new Map<ProcessMemory, number>()
  readonly #peakIsKept: boolean
  readonly #timers: NodeJS.Timeout[]
  #cgroupPeakBytes: number | null = null
  #anonPeakBytes: number | null = null
  #pssPeakBytes: number | null = null
  #nextPssAt = performance.now() + PSS_INTERVAL_MS
  readonly #timeline = new Timeline(TIMELINE_POINTS)
  #samples = 0
  #samplerMs = 0

  constructor(pod: Pod, { roles }: MemoryOptions) {
    this.#pod = pod
    this.#roleOf = new Map(Object.entries(roles).map(([role, processId]) => [processId, role]))
    this.#findProcesses()
    for (const member of this.#living.values()) this.#floors.set(member, member.zeroPeak())
    this.#peakIsKept = pod.resetPeak()
    this.#timers = [
      setInterval(() => this.#timed(() => this.#sampleCgroup()), CGROUP_INTERVAL_MS),
      setInterval(() => this.#timed(() => this.#sampleProcesses()), PROCESS_INTERVAL_MS),
    ]
  }

  /** Takes the last samples. Call it before the processes end, or lose their growth since the last poll. */
  stop(): MemoryResult {
    this.#timed(() => this.#sampleCgroup())
    this.#timed(() => this.#sampleProcesses())
    this.#timed(() => this.#samplePss())
    this[Symbol.dispose]()
    return this.#result()
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    for (const member of this.#living.values()) this.#end(member)
  }

  #timed(sample: () => void): void {
    const startedAt = performance.now()
    sample()
    this.#samples += 1
    this.#samplerMs += performance.now() - startedAt
  }

  #sampleCgroup(): void {
    const usage = this.#pod.usage()
    if (usage === null) return
    const peakBytes = this.#peakIsKept ? usage.peakBytes : null
    this.#cgroupPeakBytes = Math.max(this.#cgroupPeakBytes ?? 0, peakBytes ?? usage.currentBytes)
    this.#anonPeakBytes = Math.max(this.#anonPeakBytes ?? 0, usage.anonBytes)
    this.#timeline.add(usage.anonBytes)
  }

  #sampleProcesses(): void {
    this.#findProcesses()
    for (const member of this.#living.values()) {
      if (!member.poll()) this.#end(member)
    }
    if (performance.now() >= this.#nextPssAt) this.#samplePss()
  }

  #samplePss(): void {
    const startedAt = performance.now()
    const sizes = [...this.#living.values()]
      .map((member) => member.pssBytes())
      .filter((size) => size !== null)
    const endedAt = performance.now()
    this.#nextPssAt = endedAt + Math.max(PSS_INTERVAL_MS, (endedAt - startedAt) / PSS_SHARE_OF_TIME)
    if (sizes.length > 0) this.#pssPeakBytes = Math.max(this.#pssPeakBytes ?? 0, sum(sizes))
  }

  #findProcesses(): void {
    for (const processId of this.#pod.processes()) {
      if (this.#living.has(processId)) continue
      try {
        this.#living.set(processId, new ProcessMemory(processId))
      } catch {
        // It ended between the two looks, and left nothing to measure.
      }
    }
  }

  #end(member: ProcessMemory): void {
    member[Symbol.dispose]()
    this.#living.delete(member.processId)
    this.#ended.push(member)
  }

  #result(): MemoryResult {
    const floorOf = (member: ProcessMemory) => this.#floors.get(member) ?? 0
    const members = this.#ended
    return {
      record: {
        floorBytes: sum(members.map(floorOf)),
        floorBytesByRole: this.#byRole(members, floorOf),
        vmHwmBytes: this.#byRole(members, (member) => member.vmHwmBytes),
        addedBytes: sum(members.map((member) => Math.max(0, member.vmHwmBytes - floorOf(member)))),
        cgroupPeakBytes: this.#cgroupPeakBytes,
        anonPeakBytes: this.#anonPeakBytes,
        pssPeakBytes: this.#pssPeakBytes,
      },
      timeline: this.#timeline.points,
      samples: this.#samples,
      samplerSeconds: this.#samplerMs / 1000,
    }
  }

  #byRole(
    members: readonly ProcessMemory[],
    bytesOf: (member: ProcessMemory) => number,
  ): Record<string, number> {
    const byRole: Record<string, number> = {}
    for (const member of members) {
      const role = this.#roleOf.get(member.processId) ?? member.command
      byRole[role] = (byRole[role] ?? 0) + bytesOf(member)
    }
    return byRole
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
