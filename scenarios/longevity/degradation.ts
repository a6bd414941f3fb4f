/** How a figure changes from one round to the next. */
export interface Degradation {
  /** The mean of the relative changes: 0.05 is 5 % more in each round than in the one before. */
  readonly rate: number
  /** The variance of those changes, without which the mean of a noisy figure says nothing. */
  readonly variance: number
}

/**
 * The degradation rate of LST-Bench (Camacho-Rodríguez and others, SIGMOD 2024, section 4.3):
 * S_DR = Σ (Mᵢ − Mᵢ₋₁) / Mᵢ₋₁ ÷ (n − 1), with the sample variance of its terms.
 * @param figures one for each round, in the order of time, all positive; null for fewer than two
 */
export function degradation(figures: readonly number[]): Degradation | null {
  const changes = figures.slice(1).map((figure, index) => figure / (figures[index] ?? figure) - 1)
  if (changes.length === 0) return null
  const rate = changes.reduce((sum, change) => sum + change, 0) / changes.length
  const squares = changes.reduce((sum, change) => sum + (change - rate) ** 2, 0)
  return { rate, variance: changes.length > 1 ? squares / (changes.length - 1) : 0 }
}
