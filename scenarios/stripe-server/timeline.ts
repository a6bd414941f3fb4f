/** Objects that share a second, so that readers meet equal values of `created` at every page's edge. */
const SAME_SECOND = 3

interface Stretch {
  readonly firstIndex: number
  readonly count: number
  readonly startSeconds: number
  readonly spanSeconds: number
}

/** When each object of one kind was created: a rising function of the index, kept as a few stretches and not as a list. */
export class Timeline {
  readonly #stretches: Stretch[]
  #count: number

  /** `count` objects, spread evenly over `spanSeconds` from `startSeconds` on. */
  constructor(count: number, startSeconds: number, spanSeconds: number) {
    this.#stretches = [{ firstIndex: 0, count, startSeconds, spanSeconds }]
    this.#count = count
  }

  get count(): number {
    return this.#count
  }

  /** Adds objects, which must not be older than the newest one. Null puts them into the newest one's second. */
  append(count: number, startSeconds: number | null, spanSeconds: number): void {
    const newest = this.#count === 0 ? 0 : this.createdSeconds(this.#count - 1)
    const sameSecond = startSeconds === null
    this.#stretches.push({
      firstIndex: this.#count,
      count,
      startSeconds: sameSecond ? newest : Math.max(startSeconds, newest),
      spanSeconds: sameSecond ? 0 : spanSeconds,
    })
    this.#count += count
  }

  createdSeconds(index: number): number {
    const stretch = this.#stretches.findLast((one) => one.firstIndex <= index)
    if (stretch === undefined) throw new RangeError(`an object has the index ${index}`)
    const place = index - stretch.firstIndex
    const step = place - (place % SAME_SECOND)
    return stretch.startSeconds + Math.floor((step * stretch.spanSeconds) / stretch.count)
  }

  /** The index of the first object that was created at `seconds` or later; the count when there is none. */
  firstAtOrAfter(seconds: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.createdSeconds(middle) < seconds) low = middle + 1
      else high = middle
    }
    return low
  }
}
