import { upperQuantile, upperTail } from './student-t.ts'

/** The probability with which the smallest effect that could have been seen is seen. */
export const POWER = 0.8

/**
 * The two-sided p-value that differences within pairs scatter around zero: Student's t of one sample. A rank test of n pairs
 * can't give less than 2⁻ⁿ, so a family of a hundred tests could never fail over seven pairs; this can. Differences of pairs
 * under no effect are symmetric, which keeps it on the safe side where they have outliers.
 *
 * @returns 1 for fewer than two differences, and where all are zero; 0 where all are the same other value
 */
export function pairedTest(differences: readonly number[]): number {
  const n = differences.length
  if (n < 2) return 1
  const { mean, deviation } = momentsOf(differences)
  if (mean === 0) return 1
  return Math.min(1, 2 * upperTail(Math.abs(mean) / (deviation / Math.sqrt(n)), n - 1))
}

/**
 * The smallest true difference that the test would have found at a level with the probability `POWER`:
 * (t₁₋α⁄₂ + t_power) · s / √n. Null below two differences.
 */
export function smallestDifference(differences: readonly number[], level: number): number | null {
  const n = differences.length
  if (n < 2) return null
  return smallestAt(n, momentsOf(differences).deviation, level)
}

/** As many pairs as see a difference of the given size at a level, should they scatter as these do; null: over `most`. */
export function pairsToSee(
  difference: number,
  differences: readonly number[],
  level: number,
  most: number,
): number | null {
  const { deviation } = momentsOf(differences)
  const sees = (n: number) => smallestAt(n, deviation, level) <= difference
  if (!sees(most)) return null
  let [blind, seeing] = [1, most]
  while (seeing - blind > 1) {
    const middle = Math.floor((blind + seeing) / 2)
    if (sees(middle)) seeing = middle
    else blind = middle
  }
  return seeing
}

function smallestAt(n: number, deviation: number, level: number): number {
  const quantiles = upperQuantile(level / 2, n - 1) + upperQuantile(1 - POWER, n - 1)
  return (quantiles * deviation) / Math.sqrt(n)
}

function momentsOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const n = values.length
  const [first = 0] = values
  // Rounding would leave equal values a deviation of some 1e-17, and their t no meaning.
  if (values.every((value) => value === first)) return { mean: first, deviation: 0 }
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: Math.sqrt(squares / (n - 1)) }
}
