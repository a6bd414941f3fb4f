/** What came of one try under a cap. */
export interface Trial<Outcome> {
  readonly capBytes: number
  readonly passed: boolean
  readonly outcome: Outcome
}

export interface LeastCapOptions {
  /** The search begins here. */
  readonly guessBytes: number
  /** No cap below this is tried: a process can't even start there. */
  readonly floorBytes: number
  /** No cap above this is tried: the machine has no more. */
  readonly ceilingBytes: number
  /** The answer is known when the cap that passed is less than so many times the one that failed: 1.12 is ±6 %. */
  readonly ratio: number
  /** How often the cap that passed must pass, and the one that failed must fail, before the answer counts. */
  readonly confirmations: number
}

export interface LeastCap<Outcome> {
  /** The least cap that passed every time, or null where the ceiling itself failed. */
  readonly passedBytes: number | null
  /** The greatest cap that failed below it, or null where the floor itself passed. */
  readonly failedBytes: number | null
  /** Every try, in order. */
  readonly trials: readonly Trial<Outcome>[]
}

/**
 * Finds the least memory in which a piece of work succeeds, by bisection of the logarithm of the cap: need grows with
 * factors, so equal ratios are equal precision. Both ends are tried again before they count, since a need that varies
 * from try to try (garbage collection, which thread comes first) puts a lucky pass or an unlucky kill at the boundary;
 * a cap that failed once never counts as passed.
 */
export async function leastCap<Outcome extends { readonly passed: boolean }>(
  attempt: (capBytes: number) => Promise<Outcome>,
  options: LeastCapOptions,
): Promise<LeastCap<Outcome>> {
  const search = new Search(attempt, options)
  await search.bracket()
  while (search.open) await search.narrow()
  return search.result()
}

class Search<Outcome extends { readonly passed: boolean }> {
  readonly #attempt: (capBytes: number) => Promise<Outcome>
  readonly #options: LeastCapOptions
  readonly #trials: Trial<Outcome>[] = []

  constructor(attempt: (capBytes: number) => Promise<Outcome>, options: LeastCapOptions) {
    this.#attempt = attempt
    this.#options = options
  }

  /** Doubles until a cap passes, and halves until one fails. */
  async bracket(): Promise<void> {
    const { guessBytes, floorBytes, ceilingBytes } = this.#options
    const first = Math.min(Math.max(guessBytes, floorBytes), ceilingBytes)
    await this.#try(first)
    for (let cap = first; this.#passed === null && cap < ceilingBytes; ) {
      cap = Math.min(cap * 2, ceilingBytes)
      await this.#try(cap)
    }
    while (this.#passed !== null && this.#failed === null && this.#passed > floorBytes) {
      await this.#try(Math.max(Math.round(this.#passed / 2), floorBytes))
    }
  }

  get open(): boolean {
    return this.#next() !== null
  }

  async narrow(): Promise<void> {
    const cap = this.#next()
    if (cap !== null) await this.#try(cap)
  }

  result(): LeastCap<Outcome> {
    return { passedBytes: this.#passed, failedBytes: this.#failed, trials: this.#trials }
  }

  /** The cap to try next: between the ends while they are far apart, then the ends themselves until both are confirmed. */
  #next(): number | null {
    const { ratio, confirmations, ceilingBytes } = this.#options
    const passed = this.#passed
    const failed = this.#failed
    if (passed === null) return this.#greatestTried < ceilingBytes ? this.#above() : null
    if (failed !== null && passed / failed > ratio) return Math.round(Math.sqrt(passed * failed))
    if (this.#triesAt(passed) < confirmations) return passed
    if (failed !== null && this.#triesAt(failed) < confirmations && !this.#doubted(failed)) return failed
    return null
  }

  /** The least cap of which no try failed, above every cap that failed. */
  get #passed(): number | null {
    const failed = this.#failed
    const above = this.#trials.filter(
      ({ passed, capBytes }) => passed && (failed === null || capBytes > failed),
    )
    return above.length === 0 ? null : Math.min(...above.map(({ capBytes }) => capBytes))
  }

  /** A cap that failed once is not safe, even where it also passed. */
  get #failed(): number | null {
    const caps = this.#trials.filter(({ passed }) => !passed).map(({ capBytes }) => capBytes)
    return caps.length === 0 ? null : Math.max(...caps)
  }

  get #greatestTried(): number {
    return Math.max(...this.#trials.map(({ capBytes }) => capBytes))
  }

  #above(): number {
    return Math.min(this.#greatestTried * 2, this.#options.ceilingBytes)
  }

  #triesAt(cap: number): number {
    return this.#trials.filter(({ capBytes }) => capBytes === cap).length
  }

  /** It failed once and passed once: more tries can't make it safe. */
  #doubted(cap: number): boolean {
    return this.#trials.some(({ capBytes, passed }) => capBytes === cap && passed)
  }

  async #try(capBytes: number): Promise<void> {
    const outcome = await this.#attempt(capBytes)
    this.#trials.push({ capBytes, passed: outcome.passed, outcome })
  }
}
