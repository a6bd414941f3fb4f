import { median, orderStatistic, sortedAscending } from './quantile.ts'

/** The confidence that an interval must reach before a report calls it one. */
export const CONFIDENCE = 0.95

export interface MedianInterval {
  readonly n: number
  readonly median: number
  readonly low: number
  readonly high: number
  /** The probability that the interval holds the true median: its real one, not the one that was asked for. */
  readonly coverage: number
  /** False: the sample is too small for the confidence, and `low`..`high` is the whole sample with its lower coverage. */
  readonly sufficient: boolean
}

/**
 * A confidence interval of the median from order statistics. It assumes independent samples and no distribution:
 * with x₁ ≤ … ≤ xₙ, the interval [xₖ, xₙ₊₁₋ₖ] holds the median with probability 1 − 2·P(Bin(n, ½) ≤ k − 1).
 * The largest k that still reaches the confidence is taken; below n = 6 none reaches 95 %.
 * Source: David and Nagaraja, "Order Statistics", 3rd edition (2003), section 7.1; benchstat uses the same interval.
 *
 * @throws RangeError for an empty sample
 */
export function medianInterval(values: readonly number[], confidence: number = CONFIDENCE): MedianInterval {
  const sorted = sortedAscending(values)
  const n = sorted.length
  let trim = 0
  while (2 * (trim + 2) <= n && coverageOf(n, trim + 1) >= confidence) trim += 1
  const coverage = coverageOf(n, trim)
  return {
    n,
    median: median(sorted),
    low: orderStatistic(sorted, trim),
    high: orderStatistic(sorted, n - 1 - trim),
    coverage,
    sufficient: coverage >= confidence,
  }
}

/** The smallest sample whose minimum and maximum hold the median with the given confidence: 6 for 95 %. */
export function repetitionsFor(confidence: number = CONFIDENCE): number {
  let n = 1
  while (coverageOf(n, 0) < confidence) n += 1
  return n
}

/** The probability that a sample of n, less `trim` values at each end, spans the median. */
function coverageOf(n: number, trim: number): number {
  let tail = 0
  let probability = 0.5 ** n
  for (let successes = 0; successes <= trim; successes += 1) {
    tail += probability
    probability *= (n - successes) / (successes + 1)
  }
  return Math.max(0, 1 - 2 * tail)
}
