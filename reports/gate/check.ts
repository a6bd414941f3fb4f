import type { ComparisonVerdict } from '../compare.ts'
import type { Acknowledgement } from './config.ts'

/** One thing that a gate holds results to, and what came of it. */
export interface Check {
  readonly kind: 'outcome' | 'baseline' | 'limit' | 'arms'
  readonly scenario: string
  readonly arm: string
  /** The point in words; empty for a scenario without axes. */
  readonly at: string
  /** Null for what concerns the cells as such. */
  readonly metric: string | null
  readonly status: 'passed' | 'failed' | 'wrong-data' | 'inconclusive' | 'acknowledged'
  /** What was measured against what was asked, as a clause. */
  readonly text: string
  /** By what share it got worse than the baseline; null where that isn't what was asked. */
  readonly worseBy: number | null
  readonly acknowledgement: Acknowledgement | null
}

export interface Gate {
  readonly checks: readonly Check[]
  readonly verdict: ComparisonVerdict
  /** What to know: differences between the files, acknowledgements that are over or that nothing needs any more. */
  readonly notes: readonly string[]
}
