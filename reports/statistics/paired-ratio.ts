import { CONFIDENCE, medianInterval } from './median-interval.ts'

export interface PairedRatio {
  readonly n: number
  /** The typical a/b of a pair. */
  readonly ratio: number
  readonly low: number
  readonly high: number
  readonly coverage: number
  /** Whether the interval reaches the confidence; see `MedianInterval.sufficient`. */
  readonly sufficient: boolean
  /** Pairs that lie on the same side of 1 as `ratio`. */
  readonly agreeing: number
}

/**
 * How many times larger `a` is than `b`, where `a[i]` and `b[i]` were measured in the same round of an interleaved run,
 * so that what slows a whole round cancels: exp(median ln(aᵢ/bᵢ)) with the order-statistic interval of the logarithms.
 * Logarithms make it symmetric: ratio(a, b) = 1 / ratio(b, a), which a median of plain quotients isn't for even n.
 *
 * @returns null without pairs, or when a value isn't positive and no ratio exists
 * @throws RangeError when the samples differ in length
 */
export function pairedRatio(
  a: readonly number[],
  b: readonly number[],
  confidence: number = CONFIDENCE,
): PairedRatio | null {
  if (a.length !== b.length)
    throw new RangeError(`Pairs need equal samples, not ${a.length} and ${b.length}.`)
  // A difference of logarithms turns over exactly when the sides do; the logarithm of a quotient is off in its last digit.
  const logs = a.map((value, index) => Math.log(value) - Math.log(b[index] ?? Number.NaN))
  if (logs.length === 0 || !logs.every(Number.isFinite)) return null
  const { median, low, high, ...interval } = medianInterval(logs, confidence)
  return {
    n: interval.n,
    ratio: Math.exp(median),
    low: Math.exp(low),
    high: Math.exp(high),
    coverage: interval.coverage,
    sufficient: interval.sufficient,
    agreeing: logs.filter((log) => Math.sign(log) === Math.sign(median)).length,
  }
}
