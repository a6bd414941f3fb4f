/**
 * Where batches end. A batch ends between two pages wherever that is possible, since the cursor of a page tells only what
 * comes after the whole page; a page that is larger than a batch is cut between its rows.
 */

export interface BatchLimits {
  /** Arrow payload of a batch. A single row that is larger passes alone. */
  readonly payloadBytes: number
  readonly rows: number
}

/** Arrow keeps the places of texts in 32 bits, and readers put the chunks of a column together. */
const MAX_COLUMN_BYTES = 1_500_000_000

/** Consecutive rows of a page that go into one batch. */
export interface Placement {
  readonly from: number
  readonly to: number
  /** Whether the batch before has to be ended first. */
  readonly startsBatch: boolean
}

export class Batcher {
  readonly #maxBytes: number
  readonly #maxRows: number
  #rows = 0
  #bytes = 0

  constructor(limits: BatchLimits) {
    this.#maxBytes = Math.min(limits.payloadBytes, MAX_COLUMN_BYTES)
    this.#maxRows = limits.rows
  }

  /** Rows of the batch that is open. */
  get rows(): number {
    return this.#rows
  }

  /** Places a page's rows, given the bytes of each, in their order and without leaving one out. */
  place(rowBytes: readonly number[]): readonly Placement[] {
    const bytes = rowBytes.reduce((sum, row) => sum + row, 0)
    if (this.#admits(rowBytes.length, bytes)) return this.#placeWhole(rowBytes.length, bytes, false)
    const startsBatch = this.#rows > 0
    this.end()
    return this.#admits(rowBytes.length, bytes)
      ? this.#placeWhole(rowBytes.length, bytes, startsBatch)
      : this.#placeInPieces(rowBytes, startsBatch)
  }

  /** Ends the open batch, whatever its size. */
  end(): void {
    this.#rows = 0
    this.#bytes = 0
  }

  /** The first row of a batch is always admitted. */
  #admits(rows: number, bytes: number): boolean {
    const fits = this.#rows + rows <= this.#maxRows && this.#bytes + bytes <= this.#maxBytes
    return fits || this.#rows + rows <= 1
  }

  #placeWhole(rows: number, bytes: number, startsBatch: boolean): readonly Placement[] {
    this.#rows += rows
    this.#bytes += bytes
    return rows === 0 ? [] : [{ from: 0, to: rows, startsBatch }]
  }

  #placeInPieces(rowBytes: readonly number[], startsBatch: boolean): readonly Placement[] {
    const placements: Placement[] = []
    let from = 0
    for (const [row, bytes] of rowBytes.entries()) {
      if (!this.#admits(1, bytes)) {
        placements.push({ from, to: row, startsBatch: startsBatch || from > 0 })
        from = row
        this.end()
      }
      this.#rows += 1
      this.#bytes += bytes
    }
    return [...placements, { from, to: rowBytes.length, startsBatch: startsBatch || from > 0 }]
  }
}
