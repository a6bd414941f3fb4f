/**
 * The p-values of a family of tests, adjusted so that the chance of one false alarm in the whole family is at most the level
 * that they are held against. It assumes nothing of how the tests depend on one another.
 * Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
 *
 * @param pValues between 0 and 1
 * @returns in the same order
 */
export function holm(pValues: readonly number[]): readonly number[] {
  const ascending = pValues.map((p, index) => ({ p, index })).toSorted((a, b) => a.p - b.p)
  const adjusted = Array.from({ length: pValues.length }, () => 1)
  let least = 0
  for (const [rank, { p, index }] of ascending.entries()) {
    least = Math.max(least, Math.min(1, (pValues.length - rank) * p))
    adjusted[index] = least
  }
  return adjusted
}
