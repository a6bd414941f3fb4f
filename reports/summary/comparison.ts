import { formatPercent, formatRatio, formatRatioRange, plural } from '../format.ts'
import type { PassedCell } from '../schema.ts'
import { type PairedRatio, pairedRatio } from '../statistics/paired-ratio.ts'
import type { ArmSummary } from './arms.ts'

/** Reads one figure of a cell; null where it wasn't measured. */
type Metric = (cell: PassedCell) => number | null

export const applyWallMs: Metric = (cell) => cell.measurements.phases.apply.wallMs
export const addedBytes: Metric = (cell) => cell.measurements.phases.apply.memory.addedBytes

/**
 * How many times larger the metric of `a` is than that of `b`, over the repetitions that both passed.
 * Null when they share none, or when the metric is 0 or wasn't measured.
 */
export function compareArms(a: ArmSummary, b: ArmSummary, metric: Metric): PairedRatio | null {
  const others = new Map(b.passed.map((cell) => [cell.repetition, cell]))
  const pairs = a.passed.flatMap((cell) => {
    const other = others.get(cell.repetition)
    const values = other === undefined ? [] : [metric(cell), metric(other)]
    const [ours, theirs] = values
    return typeof ours === 'number' && typeof theirs === 'number' ? [{ ours, theirs }] : []
  })
  return pairedRatio(
    pairs.map((pair) => pair.ours),
    pairs.map((pair) => pair.theirs),
  )
}

/** Whether the repetitions settle on which side of 1 the ratio lies. One repetition settles nothing. */
export function isDecided(ratio: PairedRatio): boolean {
  if (ratio.n < 2) return false
  return ratio.sufficient ? ratio.low > 1 || ratio.high < 1 : ratio.agreeing === ratio.n
}

/** The same comparison seen from the other side, so that a sentence never has to say "0.2× faster". */
export function atLeastOne(ratio: PairedRatio): PairedRatio {
  return ratio.ratio >= 1
    ? ratio
    : { ...ratio, ratio: 1 / ratio.ratio, low: 1 / ratio.high, high: 1 / ratio.low }
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

/** `5.1× faster`, `2.0× slower`, or `about as fast` when the repetitions don't settle it. */
export function relation(ratio: PairedRatio, more: string, less: string): string {
  return `${formatRatio(atLeastOne(ratio).ratio)} ${ratio.ratio >= 1 ? more : less}`
}
