import { formatRatio, plural } from '../format.ts'
import { metricsOf } from '../metrics.ts'
import type { Cell } from '../schema.ts'
import { type PairedRatio, pairedRatio } from '../statistics/paired-ratio.ts'

/** What two runs of the same cell differed by: nothing but noise. */
export interface Noise {
  readonly metric: string
  readonly pairs: number
  /** Over all control pairs of the scenario, which should lie around 1. */
  readonly ratio: PairedRatio
  /** The factor by which the two runs of a pair differed at most. */
  readonly largest: number
}

/** Null where the run has no control cells that passed beside their originals. */
export function noiseOf(cells: readonly Cell[], metric: string): Noise | null {
  const originals = new Map(cells.filter((cell) => !cell.control).map((cell) => [pairKey(cell), cell]))
  const pairs = cells.flatMap((control) => {
    const original = control.control ? originals.get(pairKey(control)) : undefined
    const values = [control, original].map((cell) => (cell === undefined ? null : soundValue(cell, metric)))
    const [again, first] = values
    return typeof again === 'number' && typeof first === 'number' ? [{ again, first }] : []
  })
  const ratio = pairedRatio(
    pairs.map(({ again }) => again),
    pairs.map(({ first }) => first),
  )
  if (ratio === null) return null
  const factors = pairs.map(({ again, first }) => Math.max(again / first, first / again))
  return { metric, pairs: pairs.length, ratio, largest: Math.max(...factors) }
}

/** What identical cells differ by, which is the least that a difference between arms has to exceed. */
export function describeNoise({ pairs, ratio, largest }: Noise): string {
  const typical = formatRatio(ratio.ratio)
  return `Noise: ${plural(pairs, 'second run')} of the same cell took ${typical} of the first in the median and differed by ${formatRatio(largest)} at most.`
}

function pairKey({ arm, point, repetition }: Cell): string {
  return JSON.stringify([arm, point, repetition])
}

function soundValue(cell: Cell, metric: string): number | null {
  return cell.status === 'ok' ? (metricsOf(cell).get(metric)?.value ?? null) : null
}
