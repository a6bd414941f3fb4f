import { median } from '../statistics/quantile.ts'
import type { Judgement, Verdict } from './judgement.ts'
import type { Measured } from './measured.ts'
import { EXACT_REPETITIONS } from './rules.ts'

/** Whether each side has the same value in all of its repetitions, so that nothing is noise. */
export function isExact({ kind, baseline, candidate }: Measured): boolean {
  return kind === 'count' && new Set(baseline).size === 1 && new Set(candidate).size === 1
}

/** Counts without noise: one request more is one request more, whatever its share. No variance is needed or used. */
export function judgeExact(measured: Measured, tolerance: number): Judgement {
  const { baseline, candidate, better, ...about } = measured
  const [before, after] = [median(baseline), median(candidate)]
  const ratio = before === after ? 1 : before === 0 ? null : after / before
  const verdict = verdictOf(before, after, better === 'lower' ? 1 : -1, tolerance)
  const missing = Math.max(0, EXACT_REPETITIONS - baseline.length)
  const open = verdict !== 'same' && missing > 0
  return {
    ...about,
    better,
    rule: 'exact',
    pairs: baseline.length,
    baseline: before,
    candidate: after,
    ratio,
    low: ratio,
    high: ratio,
    coverage: 1,
    p: null,
    tolerance,
    smallestEffect: before === 0 ? null : Math.max(tolerance, 1 / Math.abs(before)),
    verdict: open ? 'inconclusive' : verdict,
    mayBeWorse: verdict === 'worse',
    morePairs: open ? missing : 0,
  }
}

/** @param sign 1 where less is better, −1 where more is */
function verdictOf(before: number, after: number, sign: 1 | -1, tolerance: number): Verdict {
  const worseBy = sign * (after - before)
  const allowed = tolerance * Math.min(Math.abs(before), Math.abs(after))
  if (Math.abs(worseBy) <= allowed) return 'same'
  return worseBy > 0 ? 'worse' : 'better'
}
