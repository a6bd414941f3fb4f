type TimePoint = readonly [ms: number, value: number]

/**
 * A quantity over time in a bounded number of points: when they are full, neighbours become one with the greater value, so
 * that no peak is lost, and each point stands for twice as many samples from then on.
 */
export class Timeline {
  readonly #startedAt = performance.now()
  readonly #most: number
  #whole: TimePoint[] = []
  #samplesPerPoint = 1
  #begun: TimePoint | null = null
  #begunSamples = 0

  /** @param most points, an even number */
  constructor(most: number) {
    this.#most = most
  }

  add(value: number): void {
    const ms = Math.round(performance.now() - this.#startedAt)
    this.#begun = [ms, Math.max(this.#begun?.[1] ?? value, value)]
    this.#begunSamples += 1
    if (this.#begunSamples < this.#samplesPerPoint) return
    this.#whole.push(this.#begun)
    this.#begun = null
    this.#begunSamples = 0
    if (this.#whole.length === this.#most) this.#halve()
  }

  /** By the time since it was made, each the greatest value since the point before. */
  get points(): readonly TimePoint[] {
    return this.#begun === null ? this.#whole : [...this.#whole, this.#begun]
  }

  #halve(): void {
    this.#whole = this.#whole.flatMap(([ms, value], index) =>
      index % 2 === 0 ? [] : [[ms, Math.max(value, this.#whole[index - 1]?.[1] ?? value)] as const],
    )
    this.#samplesPerPoint *= 2
  }
}
