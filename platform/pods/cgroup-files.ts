import { existsSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ControlFile, numberAt } from './control-file.ts'
import type { PodUsage } from './pod.ts'

/** What is read from a pod's cgroup. It must be disposed of before the cgroup is removed. */
export interface CgroupFiles extends Disposable {
  usage(): PodUsage
  resetPeak(): boolean
  cpuSeconds(): number | null
}

/** The files of the unified hierarchy: https://docs.kernel.org/admin-guide/cgroup-v2.html */
export class CgroupV2Files implements CgroupFiles {
  readonly #current: ControlFile
  readonly #stat: ControlFile
  readonly #events: ControlFile
  readonly #cpu: ControlFile
  /** Linux 5.19 and later. */
  readonly #peak: ControlFile | null

  constructor(directory: string) {
    this.#current = new ControlFile(join(directory, 'memory.current'))
    this.#stat = new ControlFile(join(directory, 'memory.stat'))
    this.#events = new ControlFile(join(directory, 'memory.events'))
    this.#cpu = new ControlFile(join(directory, 'cpu.stat'))
    const peak = join(directory, 'memory.peak')
    this.#peak = existsSync(peak) ? openPeak(peak) : null
  }

  usage(): PodUsage {
    return {
      currentBytes: this.#current.readNumber(),
      peakBytes: this.#peak?.readNumber() ?? null,
      anonBytes: numberAt(this.#stat.read(), 'anon ') ?? 0,
      oomKills: numberAt(this.#events.read(), 'oom_kill ') ?? 0,
    }
  }

  /** Linux 6.12 and later: what is written to an open `memory.peak` resets what this same descriptor reads. */
  resetPeak(): boolean {
    return this.#peak !== null && canWrite(this.#peak, 'reset')
  }

  cpuSeconds(): number | null {
    const microseconds = numberAt(this.#cpu.read(), 'usage_usec ')
    return microseconds === null ? null : microseconds / 1e6
  }

  [Symbol.dispose](): void {
    for (const file of [this.#current, this.#stat, this.#events, this.#cpu, this.#peak])
      file?.[Symbol.dispose]()
  }
}

/** The files of the v1 hierarchies `memory` and `cpuacct`: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html */
export class CgroupV1Files implements CgroupFiles {
  readonly #current: ControlFile
  readonly #peak: ControlFile
  readonly #stat: ControlFile
  readonly #oom: ControlFile
  readonly #cpu: ControlFile | null

  constructor(memoryDirectory: string, cpuDirectory: string | null) {
    this.#current = new ControlFile(join(memoryDirectory, 'memory.usage_in_bytes'))
    this.#peak = openPeak(join(memoryDirectory, 'memory.max_usage_in_bytes'))
    this.#stat = new ControlFile(join(memoryDirectory, 'memory.stat'))
    this.#oom = new ControlFile(join(memoryDirectory, 'memory.oom_control'))
    this.#cpu = cpuDirectory === null ? null : new ControlFile(join(cpuDirectory, 'cpuacct.usage'))
  }

  usage(): PodUsage {
    return {
      currentBytes: this.#current.readNumber(),
      peakBytes: this.#peak.readNumber(),
      anonBytes: numberAt(this.#stat.read(), 'total_rss ') ?? 0,
      oomKills: numberAt(this.#oom.read(), 'oom_kill ') ?? 0,
    }
  }

  resetPeak(): boolean {
    return canWrite(this.#peak, '0')
  }

  cpuSeconds(): number | null {
    return this.#cpu === null ? null : this.#cpu.readNumber() / 1e9
  }

  [Symbol.dispose](): void {
    for (const file of [this.#current, this.#peak, this.#stat, this.#oom, this.#cpu]) file?.[Symbol.dispose]()
  }
}

/** The processes of a cgroup and of those below it, which are pods that its members made; none when it has been removed. */
export function cgroupProcesses(directory: string): readonly number[] {
  try {
    const own = readFileSync(join(directory, 'cgroup.procs'), 'latin1').split('\n').slice(0, -1).map(Number)
    return [...own, ...cgroupsBelow(directory).flatMap(cgroupProcesses)]
  } catch {
    return []
  }
}

export function cgroupsBelow(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name))
}

/** Only the owner may reset a peak, so where that isn't us the file is opened for reading. */
function openPeak(path: string): ControlFile {
  try {
    return new ControlFile(path, 'r+')
  } catch {
    return new ControlFile(path)
  }
}

function canWrite(file: ControlFile, value: string): boolean {
  try {
    writeSync(file.descriptor, value)
    return true
  } catch {
    return false
  }
}
