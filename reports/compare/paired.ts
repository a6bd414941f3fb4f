import { pairedTest, pairsToSee, smallestDifference } from '../statistics/paired-test.ts'
import { median } from '../statistics/quantile.ts'
import { type SignedRankInterval, signedRankInterval } from '../statistics/signed-rank.ts'
import type { Judgement, Verdict } from './judgement.ts'
import type { Measured } from './measured.ts'
import { LEAST_PAIRS, negligible } from './rules.ts'

const MOST_PAIRS = 1000

/** A noisy metric before the family is known: the logarithms of its ratios and what follows from them alone. */
export interface PairedMetric {
  readonly measured: Measured
  /** ln(candidate ÷ baseline) of each pair; null where a value has no logarithm. */
  readonly logs: readonly number[] | null
  /** Two-sided, not adjusted. */
  readonly p: number
  readonly tolerance: number
}

export function pairedMetric(measured: Measured, relativeTolerance: number): PairedMetric {
  const { baseline, candidate } = measured
  const added = addedToZeros(measured)
  const logs = logRatios(measured, added)
  const size = Math.min(Math.abs(median(baseline)), Math.abs(median(candidate))) + added
  const ignored = negligible(measured)
  const tolerance = Math.max(relativeTolerance, ignored === 0 ? 0 : ignored / size)
  return { measured, logs, p: logs === null ? 1 : pairedTest(logs), tolerance }
}

/**
 * Worse or better take three things at once: an effect beyond the tolerance, an interval of the signed ranks on one side of
 * no effect, and a p-value that holds over the family. The same takes an interval within the tolerance. The rest is open.
 *
 * @param p adjusted for the family
 */
export function judgePaired(
  { measured, logs, tolerance }: PairedMetric,
  p: number,
  { level, familyLevel, confidence }: Levels,
): Judgement {
  const { baseline, candidate, ...about } = measured
  const common = {
    ...about,
    rule: 'paired' as const,
    pairs: baseline.length,
    baseline: median(baseline),
    candidate: median(candidate),
    tolerance,
  }
  if (logs === null) return { ...common, ...NO_RATIO }
  const interval = signedRankInterval(logs, confidence)
  const margin = Math.log1p(tolerance)
  const verdict = verdictOf(interval, margin, p <= familyLevel, about.better)
  return {
    ...common,
    ratio: Math.exp(interval.centre),
    low: Math.exp(interval.low),
    high: Math.exp(interval.high),
    coverage: interval.coverage,
    p,
    smallestEffect: smallestEffectOf(logs, level, tolerance),
    verdict,
    mayBeWorse: verdict === 'worse' || worstOf(interval, about.better) > margin || !interval.sufficient,
    morePairs: verdict === 'inconclusive' ? morePairsOf(logs, level, margin) : 0,
  }
}

export interface Levels {
  /** What a single judgement of the family is held against when it is the first to be. */
  readonly level: number
  /** What an adjusted p-value is held against: the chance of a false alarm in the whole family. */
  readonly familyLevel: number
  /** Of the interval. */
  readonly confidence: number
}

const NO_RATIO = {
  ratio: null,
  low: null,
  high: null,
  coverage: 0,
  p: 1,
  smallestEffect: null,
  verdict: 'inconclusive',
  mayBeWorse: true,
  morePairs: null,
} as const

/** Where a value is zero, the negligible amount is added to all, so that none becomes some by a finite factor. */
function addedToZeros(measured: Measured): number {
  if (![...measured.baseline, ...measured.candidate].includes(0)) return 0
  return Math.max(negligible(measured), measured.kind === 'count' ? 1 : 0)
}

function logRatios({ baseline, candidate }: Measured, added: number): readonly number[] | null {
  const logs = baseline.map(
    (before, index) => Math.log((candidate[index] ?? NaN) + added) - Math.log(before + added),
  )
  return logs.every(Number.isFinite) ? logs : null
}

function verdictOf(
  { centre, low, high, sufficient }: SignedRankInterval,
  margin: number,
  significant: boolean,
  better: Measured['better'],
): Verdict {
  if (!sufficient) return 'inconclusive'
  if (low >= -margin && high <= margin) return 'same'
  if (!significant || Math.abs(centre) < margin || (low <= 0 && high >= 0)) return 'inconclusive'
  return centre > 0 === (better === 'lower') ? 'worse' : 'better'
}

/** The end of the interval on the side where it is worse, as a logarithm that grows as things get worse. */
function worstOf({ low, high }: SignedRankInterval, better: Measured['better']): number {
  return better === 'lower' ? high : -low
}

function smallestEffectOf(logs: readonly number[], level: number, tolerance: number): number | null {
  const difference = logs.length < LEAST_PAIRS ? null : smallestDifference(logs, level)
  return difference === null ? null : Math.max(Math.expm1(difference), tolerance)
}

function morePairsOf(logs: readonly number[], level: number, margin: number): number | null {
  if (logs.length < 2) return LEAST_PAIRS - logs.length
  const needed = pairsToSee(margin, logs, level, MOST_PAIRS)
  return needed === null ? null : Math.max(1, Math.max(needed, LEAST_PAIRS) - logs.length)
}
