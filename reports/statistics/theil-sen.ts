import { median } from './quantile.ts'

export interface Growth {
  /** The exponent b of y ≈ a·xᵇ: 0 is flat, 1 proportional, 2 quadratic. */
  readonly exponent: number
  /** The smallest and the largest slope between two of the points. */
  readonly low: number
  readonly high: number
  readonly n: number
}

/** Fewer points lie on some line whatever they are. */
export const GROWTH_POINTS = 3

/**
 * How y grows with x: the median of the slopes between all pairs of points on logarithmic axes, which one outlier doesn't
 * move. Source: Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968).
 *
 * @returns null with fewer than three different x, or where a value isn't positive and has no logarithm
 */
export function growthOf(points: readonly (readonly [x: number, y: number])[]): Growth | null {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const)
  if (new Set(points.map(([x]) => x)).size < GROWTH_POINTS || !logs.flat().every(Number.isFinite)) return null
  const slopes = logs.flatMap(([x, y], index) =>
    logs.slice(index + 1).flatMap(([otherX, otherY]) => (otherX === x ? [] : [(otherY - y) / (otherX - x)])),
  )
  return {
    exponent: median(slopes),
    low: Math.min(...slopes),
    high: Math.max(...slopes),
    n: points.length,
  }
}
