/** What the server was asked for since it started, or since `reset`. */
export interface StripeServerStats {
  /** All requests of the API, failed ones included, by resource: `invoices`, `invoice_line_items`, `account`. */
  readonly requests: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
  /** Pages that were answered, by resource. */
  readonly pages: Readonly<Record<string, number>>
  /** Answers that repeat a page that had been answered before: the same list with the same parameters. */
  readonly pagesRepeated: Readonly<Record<string, number>>
  readonly bytes: number
}

export class Statistics {
  #requests: Record<string, number> = {}
  #byStatus: Record<string, number> = {}
  #pages: Record<string, number> = {}
  #pagesRepeated: Record<string, number> = {}
  #bytes = 0
  /** URLs, which are some 60 bytes a page: a million invoices are 10,000 of them. */
  readonly #seen = new Set<string>()

  countRequest(target: string): void {
    increment(this.#requests, target)
  }

  countAnswer(statusCode: number, bytes: number): void {
    increment(this.#byStatus, String(statusCode))
    this.#bytes += bytes
  }

  countPage(target: string, url: string): void {
    increment(this.#pages, target)
    if (this.#seen.has(url)) increment(this.#pagesRepeated, target)
    this.#seen.add(url)
  }

  reset(): void {
    this.#requests = {}
    this.#byStatus = {}
    this.#pages = {}
    this.#pagesRepeated = {}
    this.#bytes = 0
    this.#seen.clear()
  }

  snapshot(): StripeServerStats {
    return {
      requests: { ...this.#requests },
      byStatus: { ...this.#byStatus },
      pages: { ...this.#pages },
      pagesRepeated: { ...this.#pagesRepeated },
      bytes: this.#bytes,
    }
  }
}

function increment(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
