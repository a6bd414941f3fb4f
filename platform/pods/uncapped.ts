import { killAll } from './kill.ts'
import type { Pod, PodMechanism, PodRequest } from './pod.ts'
import { sessionProcesses } from './session.ts'
import { type PodSubprocess, type SpawnOptions, startSubprocess } from './subprocess.ts'

/** The last resort: processes are observed and can be killed together, and nothing holds them to a cap. */
export const uncapped: PodMechanism = {
  name: 'none',
  probe: async () => 'observed, not capped',
  create: async (request: PodRequest) => new UncappedPod(request.memoryCapBytes),
  sweep: async () => undefined,
}

/** Each process that is started leads a session of its own, which its children stay in when their parent ends. */
class UncappedPod implements Pod {
  readonly mechanism = 'none'
  readonly memoryCapBytes: number | null
  readonly capped = false
  readonly #sessions = new Set<number>()

  constructor(memoryCapBytes: number | null) {
    this.memoryCapBytes = memoryCapBytes
  }

  spawn(file: string, args: readonly string[], options: SpawnOptions = {}): PodSubprocess {
    const subprocess = startSubprocess({ file, args }, options, { detached: true })
    if (subprocess.pid !== undefined) this.#sessions.add(subprocess.pid)
    return subprocess
  }

  processes(): readonly number[] {
    return this.#sessions.size === 0 ? [] : sessionProcesses(this.#sessions)
  }

  usage(): null {
    return null
  }

  resetPeak(): boolean {
    return false
  }

  cpuSeconds(): null {
    return null
  }

  async kill(): Promise<void> {
    await killAll(() => this.processes())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
