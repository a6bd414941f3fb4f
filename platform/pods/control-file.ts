import { closeSync, openSync, readSync } from 'node:fs'

/**
 * A file of cgroupfs or procfs that is read again and again. It stays open and is read at position 0, which makes the
 * kernel write it anew and saves the path walk; reads are synchronous since they never wait for a device.
 */
export class ControlFile implements Disposable {
  readonly #descriptor: number
  #buffer = Buffer.allocUnsafe(8192)

  constructor(path: string, flags: 'r' | 'r+' = 'r') {
    this.#descriptor = openSync(path, flags)
  }

  get descriptor(): number {
    return this.#descriptor
  }

  read(): string {
    let length = readSync(this.#descriptor, this.#buffer, 0, this.#buffer.length, 0)
    while (length === this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafe(2 * this.#buffer.length)
      length = readSync(this.#descriptor, this.#buffer, 0, this.#buffer.length, 0)
    }
    return this.#buffer.toString('latin1', 0, length)
  }

  readNumber(): number {
    return Number(this.read())
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }
}

/**
 * The whole number that follows a key at the start of a line, or null where there is no such line. The key includes
 * what separates it from the number, so that `anon ` isn't found in `anon_thp`: `numberAt(text, 'VmHWM:')`.
 */
export function numberAt(text: string, key: string): number | null {
  const start = text.startsWith(key) ? 0 : text.indexOf(`\n${key}`) + 1
  return start === 0 && !text.startsWith(key) ? null : Number.parseInt(text.slice(start + key.length), 10)
}
