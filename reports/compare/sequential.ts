import type { Comparison } from '../compare.ts'
import { FAMILY_LEVEL } from './rules.ts'

/** After how many pairs the figures are looked at; each look costs some of the error that is allowed. */
export const LOOKS = [8, 12, 18, 27, 40, 60, 90, 135] as const

/** The chance that an interval of any look misses the truth, over all looks together. */
const MISS = 0.05

/**
 * What the k-th look, from 0, is held against. A k-th of the errors is spent so that all looks together stay within it, however
 * they depend on one another: Σ 1/((k+1)(k+2)) = 1, by Bonferroni.
 */
export function levelsOf(look: number): { readonly familyLevel: number; readonly confidence: number } {
  const share = 1 / ((look + 1) * (look + 2))
  return { familyLevel: FAMILY_LEVEL * share, confidence: 1 - MISS * share }
}

export type Step = 'more' | 'confirm' | 'stop'

/** What to do after a look: an alarm is tried on fresh pairs before it counts, and wrong data needs no second look. */
export function stepAfter({ verdict }: Pick<Comparison, 'verdict'>): Step {
  if (verdict === 'regression') return 'confirm'
  return verdict === 'inconclusive' ? 'more' : 'stop'
}
