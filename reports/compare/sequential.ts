import type { CompareOptions, Comparison, ComparisonVerdict } from '../compare.ts'
import { FAMILY_LEVEL, LEAST_PAIRS } from './rules.ts'

/** After how many pairs the figures are looked at. */
export const LOOKS = [8, 12, 18, 27, 40, 60, 85, 120] as const

/** So many fresh pairs confirm an alarm, as a share of those that raised it: they are held against one level instead of a part of it. */
const FRESH_SHARE = 2 / 3

/**
 * What share of the errors that are allowed each look may use, and the one at the end: all looks together stay within them however
 * they depend on one another (Bonferroni). Late looks get more, since what is large enough to be seen early needs no generous level
 * (O'Brien and Fleming 1979); the first gets what an interval of eight ranks needs to exist.
 */
const SHARES = [0.16, 0.05, 0.06, 0.08, 0.1, 0.12, 0.14, 0.14, 0.15] as const

/** The chance that an interval of any look misses the truth, over all looks together. */
const MISS = 0.05

/** What the k-th look, from 0, is held against. */
export function levelsOf(look: number): { readonly familyLevel: number; readonly confidence: number } {
  const share = SHARES[look] ?? 0
  return { familyLevel: FAMILY_LEVEL * share, confidence: 1 - MISS * share }
}

const DENIED = 'fresh pairs did not confirm the alarm'

/** Pairs as they come: measured, or drawn from a record. */
export interface PairSource {
  /** How many there are. */
  readonly count: number
  /** Gets more, up to so many. False when there is no time for all. */
  upTo(wanted: number): Promise<boolean>
  /** All pairs from a number on. */
  compared(from: number, options: CompareOptions): Comparison
  /** Told after each look. */
  onLook?(comparison: Comparison): void
}

/** The verdict with all that was measured; `confirmation` is null where there was no alarm, or no time to confirm it. */
export interface Settled {
  readonly comparison: Comparison
  readonly confirmation: Comparison | null
  readonly verdict: ComparisonVerdict
  readonly pairs: number
  readonly note: string
}

/**
 * Looks at more and more pairs until the figures settle it or there are no more. Wrong data needs no second look. An alarm counts only
 * when fresh pairs, judged alone and on nothing but what was alarming, raise it again; if they don't, the looks go on, as all of them
 * together raise too few false alarms anyway.
 */
export async function settle(pairs: PairSource, options: CompareOptions): Promise<Settled> {
  let denial: Comparison | null = null
  for (const [look, wanted] of LOOKS.entries()) {
    if (wanted <= pairs.count) continue
    const inTime = await pairs.upTo(wanted)
    const comparison = pairs.compared(0, { ...options, ...levelsOf(look) })
    pairs.onLook?.(comparison)
    if (comparison.verdict === 'regression') {
      const confirmed = await confirm(pairs, comparison, options)
      if (confirmed.verdict !== 'inconclusive' || confirmed.confirmation === null) return confirmed
      denial = confirmed.confirmation
    } else if (comparison.verdict !== 'inconclusive') {
      return unconfirmed(pairs, comparison, 'settled')
    }
    if (!inTime) return leftOpen(pairs, comparison, denial, 'the time was over')
  }
  const comparison = pairs.compared(0, { ...options, ...levelsOf(LOOKS.length) })
  return leftOpen(pairs, comparison, denial, 'not settled')
}

/** What was never confirmed is no regression, whatever all pairs together say in the end. */
function leftOpen(
  pairs: PairSource,
  comparison: Comparison,
  denial: Comparison | null,
  note: string,
): Settled {
  return {
    comparison,
    confirmation: denial,
    verdict: comparison.verdict === 'regression' ? 'inconclusive' : comparison.verdict,
    pairs: pairs.count,
    note: denial === null ? note : DENIED,
  }
}

/** Judges so many pairs once, as far as there is time for them, and confirms nothing. */
export async function judgeOnce(
  pairs: PairSource,
  wanted: number,
  options: CompareOptions,
): Promise<Settled> {
  const inTime = await pairs.upTo(wanted)
  return unconfirmed(
    pairs,
    pairs.compared(0, options),
    inTime ? 'as many as were asked for' : 'the time was over',
  )
}

function unconfirmed(pairs: PairSource, comparison: Comparison, note: string): Settled {
  return { comparison, confirmation: null, verdict: comparison.verdict, pairs: pairs.count, note }
}

async function confirm(pairs: PairSource, alarm: Comparison, options: CompareOptions): Promise<Settled> {
  const discovered = pairs.count
  const worse = alarm.judgements.filter(({ verdict }) => verdict === 'worse')
  const inTime = await pairs.upTo(discovered + Math.max(LEAST_PAIRS, Math.ceil(discovered * FRESH_SHARE)))
  if (!inTime) {
    const note = 'no time was left to confirm the alarm'
    return { ...unconfirmed(pairs, alarm, note), verdict: 'inconclusive' }
  }
  const confirmation = pairs.compared(discovered, {
    ...options,
    judges: (judged) =>
      worse.some(
        ({ scenario, arm, metric }) =>
          scenario === judged.scenario && arm === judged.arm && metric === judged.metric,
      ),
  })
  const held = confirmation.verdict === 'regression' || confirmation.verdict === 'wrong-data'
  return {
    comparison: alarm,
    confirmation,
    verdict: held ? confirmation.verdict : 'inconclusive',
    pairs: pairs.count,
    note: held ? 'the alarm was confirmed on fresh pairs' : DENIED,
  }
}
