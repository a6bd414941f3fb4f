import { formatMetricName, formatPercent, formatRatio, formatRatioRange, plural } from '../format.ts'
import { type PairedRatio, pairedRatio } from '../statistics/paired-ratio.ts'
import type { ArmSummary } from './arms.ts'

/**
 * How many times larger the metric of `a` is than that of `b`, over the repetitions that both passed.
 * Null when they share none, or when the metric is 0 or wasn't measured.
 */
export function compareArms(a: ArmSummary, b: ArmSummary, metric: string): PairedRatio | null {
  const others = b.figures.get(metric)?.byRepetition ?? new Map<number, number>()
  const pairs = [...(a.figures.get(metric)?.byRepetition ?? [])].flatMap(([repetition, ours]) => {
    const theirs = others.get(repetition)
    return theirs === undefined ? [] : [{ ours, theirs }]
  })
  return pairedRatio(
    pairs.map((pair) => pair.ours),
    pairs.map((pair) => pair.theirs),
  )
}

/** How many times better `a` is than `b`: below 1 it is worse. */
export function advantageOf(a: ArmSummary, b: ArmSummary, metric: string): PairedRatio | null {
  const higher = (a.figures.get(metric) ?? b.figures.get(metric))?.better === 'higher'
  return higher ? compareArms(a, b, metric) : compareArms(b, a, metric)
}

/** Whether the repetitions settle on which side of 1 the ratio lies. One repetition settles nothing. */
export function isDecided(ratio: PairedRatio): boolean {
  if (ratio.n < 2 || ratio.ratio === 1) return false
  return ratio.sufficient ? ratio.low > 1 || ratio.high < 1 : ratio.agreeing === ratio.n
}

/** The same comparison seen from the other side. */
export function inverse(ratio: PairedRatio): PairedRatio {
  return { ...ratio, ratio: 1 / ratio.ratio, low: 1 / ratio.high, high: 1 / ratio.low }
}

/** Seen from the side that makes it at least 1, so that a sentence never has to say "0.2× faster". */
export function atLeastOne(ratio: PairedRatio): PairedRatio {
  return ratio.ratio >= 1 ? ratio : inverse(ratio)
}

/** How sure a ratio is: `all 5 repetitions agree, 4.8–5.6×`. */
export function certainty(ratio: PairedRatio): string {
  if (ratio.n === 1) return 'one repetition, so nobody knows how sure that is'
  const agreement =
    ratio.agreeing === ratio.n
      ? `all ${plural(ratio.n, 'repetition')} agree`
      : `${ratio.agreeing} of ${plural(ratio.n, 'repetition')} agree`
  const range = formatRatioRange(ratio.low, ratio.high)
  return ratio.sufficient
    ? `${agreement}, ${range} with ${formatPercent(ratio.coverage)} confidence`
    : `${agreement}, ${range}`
}

/** `5.1× faster`, or `2.0× slower` where the ratio is below 1. */
export function relation(ratio: PairedRatio, more: string, less: string): string {
  return `${formatRatio(atLeastOne(ratio).ratio)} ${ratio.ratio >= 1 ? more : less}`
}

/** An advantage in words that fit the metric: `5.1× faster`, `3.0× higher in commits per second`. */
export function describeAdvantage(advantage: PairedRatio, arm: ArmSummary, metric: string): string {
  const figure = arm.figures.get(metric)
  if (figure?.kind === 'time') return relation(advantage, 'faster', 'slower')
  const words = [`higher in ${formatMetricName(metric)}`, `lower in ${formatMetricName(metric)}`] as const
  return figure?.better === 'higher'
    ? relation(advantage, words[0], words[1])
    : relation(advantage, words[1], words[0])
}
