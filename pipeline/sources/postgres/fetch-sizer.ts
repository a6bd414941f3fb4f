const FIRST_ROWS = 100
const MAX_GROWTH = 8
/** Of so many rows, the latest ones, the quantiles are taken. */
const WINDOW_ROWS = 1_000

export interface FetchLimits {
  /** Bytes that a page should have, and that a fetch should bring. */
  readonly pageBytes: number
  /** Bytes that a fetch must not exceed where its rows are like the widest hundredth of those before. */
  readonly readAheadBytes: number
  readonly rows: number
}

/**
 * How many rows to ask for at once, by the widths of the rows that the query has yielded so far: its 95th percentile fills
 * a page, and its 99th keeps within what may be read ahead. That is a guess about rows that nobody has seen; what bounds
 * the memory is {@link RowFeed}, which stops reading from the connection in the middle of a fetch.
 */
export class FetchSizer {
  readonly #limits: FetchLimits
  #widths: number[] = []
  #next = 0
  #rows = FIRST_ROWS

  constructor(limits: FetchLimits) {
    this.#limits = limits
  }

  observe(rowBytes: number): void {
    this.#widths[this.#next % WINDOW_ROWS] = rowBytes
    this.#next += 1
  }

  nextRows(): number {
    const sorted = this.#widths.toSorted((a, b) => a - b)
    const p95 = quantile(sorted, 0.95)
    const p99 = quantile(sorted, 0.99)
    const { pageBytes, readAheadBytes, rows } = this.#limits
    const fitting = Math.min(pageBytes / p95, readAheadBytes / p99, rows, this.#rows * MAX_GROWTH)
    this.#rows = sorted.length === 0 ? Math.min(FIRST_ROWS, rows) : Math.max(1, Math.floor(fitting))
    return this.#rows
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 1
}
