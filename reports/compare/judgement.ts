import type { Metric } from '../schema.ts'
import type { Group } from './pairs.ts'

export type Verdict = 'better' | 'same' | 'worse' | 'inconclusive'

/** What is said of one metric of one arm at one point. */
export interface Judgement
  extends Pick<Group, 'scenario' | 'arm' | 'point' | 'at'>,
    Pick<Metric, 'unit' | 'kind' | 'better'> {
  readonly metric: string
  /** `exact`: a count without noise; `paired`: by the logarithms of the ratios within pairs. */
  readonly rule: 'exact' | 'paired'
  readonly pairs: number
  /** Medians over the pairs, in `unit`. */
  readonly baseline: number
  readonly candidate: number
  /** Candidate ÷ baseline, the typical one of a pair, with its interval; null where there is no ratio, as from 0. */
  readonly ratio: number | null
  readonly low: number | null
  readonly high: number | null
  /** The real coverage of low..high; 1 for exact counts. */
  readonly coverage: number
  /** Two-sided, adjusted for the family of all paired judgements; null for exact counts. */
  readonly p: number | null
  /** The share by which it may get worse and still be the same: the larger of that of its kind and what is negligible. */
  readonly tolerance: number
  /** As a share, the smallest change that would have been called one, four times in five; null: none would. */
  readonly smallestEffect: number | null
  readonly verdict: Verdict
  /** Whether the figures leave it open that it got worse by more than the tolerance. Only these make a gate inconclusive. */
  readonly mayBeWorse: boolean
  /** How many more pairs an inconclusive judgement needs, should they scatter as these do; null: over a thousand. */
  readonly morePairs: number | null
}
