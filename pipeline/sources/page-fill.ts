import type { ReadLimits, Row } from './source.ts'

/** Rows on their way into a page, which is given out before it would pass a limit; a single larger row passes alone. */
export class PageFill {
  readonly #limits: ReadLimits
  #rows: Row[] = []
  #bytes = 0

  constructor(limits: ReadLimits) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0
  }

  /** Whether a row of so many bytes still belongs to this page; when not, take the page first. */
  fits(bytes: number): boolean {
    if (this.isEmpty) return true
    return this.#rows.length < this.#limits.pageRows && this.#bytes + bytes <= this.#limits.readAheadBytes
  }

  add(row: Row, bytes: number): void {
    this.#rows.push(row)
    this.#bytes += bytes
  }

  /** What was added since the last time. */
  take(): { readonly rows: readonly Row[]; readonly bytes: number } {
    const taken = { rows: this.#rows, bytes: this.#bytes }
    this.#rows = []
    this.#bytes = 0
    return taken
  }
}
