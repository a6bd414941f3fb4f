import type { CgroupFiles } from './cgroup-files.ts'
import { killAll } from './kill.ts'
import type { Pod, PodMechanismName, PodUsage } from './pod.ts'
import { type Command, type PodSubprocess, type SpawnOptions, startSubprocess } from './subprocess.ts'

export interface CgroupPodParts {
  readonly mechanism: PodMechanismName
  readonly memoryCapBytes: number | null
  /** Members that are ours to measure and to kill. */
  readonly processes: () => readonly number[]
  readonly files: CgroupFiles
  /** Wraps a command, so that the process is a member before the program starts. */
  readonly enter: (command: Command, options: SpawnOptions) => Command
  /** Removes the cgroup, which has no members any more. */
  readonly remove: () => Promise<void>
}

/** A pod over a cgroup, whoever made it. */
export class CgroupPod implements Pod {
  readonly mechanism: PodMechanismName
  readonly memoryCapBytes: number | null
  readonly capped: boolean
  readonly #parts: CgroupPodParts
  /** Those that haven't ended, among them some that are on their way into the cgroup and not yet members. */
  readonly #started = new Set<PodSubprocess>()

  constructor(parts: CgroupPodParts) {
    this.mechanism = parts.mechanism
    this.memoryCapBytes = parts.memoryCapBytes
    this.capped = parts.memoryCapBytes !== null
    this.#parts = parts
  }

  spawn(file: string, args: readonly string[], options: SpawnOptions = {}): PodSubprocess {
    const subprocess = startSubprocess(this.#parts.enter({ file, args }, options), options)
    this.#started.add(subprocess)
    void subprocess.finally(() => this.#started.delete(subprocess))
    return subprocess
  }

  processes(): readonly number[] {
    return this.#parts.processes()
  }

  usage(): PodUsage {
    return this.#parts.files.usage()
  }

  resetPeak(): boolean {
    return this.#parts.files.resetPeak()
  }

  cpuSeconds(): number | null {
    return this.#parts.files.cpuSeconds()
  }

  async kill(): Promise<void> {
    const started = [...this.#started]
    for (const subprocess of started) subprocess.kill('SIGKILL')
    await killAll(() => this.processes())
    await Promise.all(started)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    this.#parts.files[Symbol.dispose]()
    await this.#parts.remove()
  }
}
