import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const INTERVAL_MS = 200

/**
 * Watches the folder that the engines spill to, until it is disposed of. The peak is the highest sample, every 200 ms, of
 * the bytes of all files in it; a file that comes and goes between two samples is missed.
 */
export class SpillWatch implements Disposable {
  readonly #folder: string
  readonly #timer: NodeJS.Timeout
  #peakBytes = 0

  constructor(folder: string) {
    this.#folder = folder
    this.#timer = setInterval(() => this.#sample(), INTERVAL_MS)
  }

  get peakBytes(): number {
    this.#sample()
    return this.#peakBytes
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #sample(): void {
    this.#peakBytes = Math.max(this.#peakBytes, bytesBelow(this.#folder))
  }
}

/** Files may go while they are counted. */
function bytesBelow(folder: string): number {
  let bytes = 0
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const found = statSync(join(folder, name), { throwIfNoEntry: false })
    if (found?.isFile() === true) bytes += found.size
  }
  return bytes
}
