import { CONFIDENCE } from './median-interval.ts'
import { median, orderStatistic, sortedAscending } from './quantile.ts'

export interface SignedRankInterval {
  readonly n: number
  /** The Hodges–Lehmann estimate: the median of the means of all pairs of values. */
  readonly centre: number
  readonly low: number
  readonly high: number
  /** The probability that the interval holds the true centre: its real one, not the one that was asked for. */
  readonly coverage: number
  /** False: the sample is too small for the confidence, and the interval is the widest there is. */
  readonly sufficient: boolean
}

/**
 * The centre of a symmetric distribution with the interval that Wilcoxon's signed-rank test gives. Differences within pairs of
 * one thing against itself are symmetric whatever the noise is, so nothing else is assumed. It is as robust to outliers as
 * the order-statistic interval of the median, and nearly as narrow as Student's.
 * Source: Hollander, Wolfe and Chicken, "Nonparametric Statistical Methods", 3rd edition (2014), sections 3.2 and 3.3.
 *
 * @throws RangeError for an empty sample
 */
export function signedRankInterval(
  values: readonly number[],
  confidence: number = CONFIDENCE,
): SignedRankInterval {
  const averages = walshAverages(values)
  const n = values.length
  const counts = rankSumCounts(n)
  let trim = 0
  while (2 * (trim + 2) <= averages.length && coverageOf(counts, n, trim + 1) >= confidence) trim += 1
  const coverage = coverageOf(counts, n, trim)
  return {
    n,
    centre: median(averages),
    low: orderStatistic(averages, trim),
    high: orderStatistic(averages, averages.length - 1 - trim),
    coverage,
    sufficient: coverage >= confidence,
  }
}

function walshAverages(values: readonly number[]): readonly number[] {
  return sortedAscending(
    values.flatMap((value, index) => values.slice(index).map((other) => (value + other) / 2)),
  )
}

/** In how many of the 2ⁿ choices of signs the positive ranks sum to s, at index s. */
function rankSumCounts(n: number): readonly number[] {
  const counts: number[] = Array.from({ length: (n * (n + 1)) / 2 + 1 }, (_, sum) => (sum === 0 ? 1 : 0))
  for (let rank = 1; rank <= n; rank += 1) {
    for (let sum = counts.length - 1; sum >= rank; sum -= 1)
      counts[sum] = (counts[sum] ?? 0) + (counts[sum - rank] ?? 0)
  }
  return counts
}

/** The probability that the sorted averages, less `trim` at each end, span the centre. */
function coverageOf(counts: readonly number[], n: number, trim: number): number {
  const tail = counts.slice(0, trim + 1).reduce((sum, count) => sum + count, 0) / 2 ** n
  return Math.max(0, 1 - 2 * tail)
}
