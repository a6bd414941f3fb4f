import { readFileSync, writeFileSync } from 'node:fs'
import { ControlFile, numberAt } from '../../platform/pods/control-file.ts'

const KIB = 1024

/**
 * The memory of one process, from procfs. `VmHWM` is the highest resident size since the process began or was zeroed,
 * and the kernel keeps it, so that polling it misses no spike but the growth between the last poll and the end.
 * `ru_maxrss` would not do: a child inherits that of the Node process that started it.
 */
export class ProcessMemory implements Disposable {
  readonly processId: number
  /** What `ps` calls it. */
  readonly command: string
  readonly #status: ControlFile
  #vmHwmBytes = 0

  /** @throws when the process is gone */
  constructor(processId: number) {
    this.processId = processId
    this.command = readFileSync(`/proc/${processId}/comm`, 'utf8').trim()
    this.#status = new ControlFile(`/proc/${processId}/status`)
  }

  /** The highest value that was polled. */
  get vmHwmBytes(): number {
    return this.#vmHwmBytes
  }

  /** Starts `VmHWM` anew from the resident size of this moment, and returns that. */
  zeroPeak(): number {
    writeFileSync(`/proc/${this.processId}/clear_refs`, '5')
    this.#vmHwmBytes = 0
    return (numberAt(this.#status.read(), 'VmRSS:') ?? 0) * KIB
  }

  /** False when the process is gone; a zombie has no memory any more, and counts as gone. */
  poll(): boolean {
    const peak = quietly(() => numberAt(this.#status.read(), 'VmHWM:'))
    if (peak === null) return false
    this.#vmHwmBytes = Math.max(this.#vmHwmBytes, peak * KIB)
    return true
  }

  pssBytes(): number | null {
    return pssBytesOf(this.processId)
  }

  [Symbol.dispose](): void {
    this.#status[Symbol.dispose]()
  }
}

/** The proportional set size: shared pages are divided among those who share them. Null when it can't be read. */
export function pssBytesOf(processId: number): number | null {
  const pss = quietly(() => numberAt(readFileSync(`/proc/${processId}/smaps_rollup`, 'latin1'), 'Pss:'))
  return pss === null ? null : pss * KIB
}

/** Null instead of the error that procfs answers with when a process ends during a read. */
function quietly(read: () => number | null): number | null {
  try {
    return read()
  } catch {
    return null
  }
}
