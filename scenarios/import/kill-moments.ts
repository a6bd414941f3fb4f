import { Random } from '../../pipeline/sources/random.ts'

/** Shares of the whole at which to kill, ascending, from a seed. */
export function killMoments(kills: number, seed: number): readonly number[] {
  const numbers = new Random(seed)
  return Array.from({ length: kills }, () => 0.05 + 0.9 * numbers.share()).toSorted((a, b) => a - b)
}
