/**
 * The sample quantile by linear interpolation between order statistics: type 7 of Hyndman and Fan, "Sample Quantiles in
 * Statistical Packages", The American Statistician 50 (1996), the default of R and NumPy.
 *
 * @param q between 0 and 1
 * @throws RangeError for an empty sample, since a quantile of nothing would print as a figure
 */
export function quantile(values: readonly number[], q: number): number {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`A quantile lies between 0 and 1, and ${q} was asked for.`)
  const sorted = sortedAscending(values)
  const position = (sorted.length - 1) * q
  const below = orderStatistic(sorted, Math.floor(position))
  const above = orderStatistic(sorted, Math.ceil(position))
  return below + (above - below) * (position - Math.floor(position))
}

/** The middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function sortedAscending(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b)
}

/**
 * @param sorted ascending
 * @param index from 0
 * @throws RangeError when there is no such value
 */
export function orderStatistic(sorted: readonly number[], index: number): number {
  const value = sorted[index]
  if (value === undefined)
    throw new RangeError(`A sample of ${sorted.length} has no value at index ${index}.`)
  return value
}
