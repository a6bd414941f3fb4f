import type { Verdict } from '../compare/judgement.ts'
import type { CellPair } from '../compare/pairs.ts'
import type { CompareOptions, Comparison } from '../compare.ts'
import type { Cell, SoundCell } from '../schema.ts'
import { EFFECTS, type Effect } from './effects.ts'
import { withNoisyValues } from './noisy-values.ts'

/** How often each effect is tried, and by which rules. */
export interface TrialOptions {
  readonly compare: CompareOptions
  readonly trials: number
  /** From 0, to 1 exclusive. */
  readonly random: () => number
  readonly onRow?: (done: number, of: number) => void
}

/** Something that happens to pairs of the same thing: to the candidate alone, to both sides, or to none. */
export interface Trial {
  readonly name: string
  readonly files: (pairs: readonly CellPair[], random: () => number) => readonly CellPair[]
  readonly verdictIn: Effect['verdictIn']
}

export const NOTHING: Trial = { name: 'nothing', files: (pairs) => pairs, verdictIn: anyVerdict }

export const TRIALS: readonly Trial[] = [
  NOTHING,
  { name: 'nothing, a neighbour that comes and goes', files: disturbed, verdictIn: anyVerdict },
  ...EFFECTS.map(({ name, plant, verdictIn }) => ({
    name,
    files: (pairs: readonly CellPair[]) =>
      pairs.map(({ baseline, candidate }) => ({
        baseline,
        candidate: candidate.status === 'ok' ? plant(candidate) : candidate,
      })),
    verdictIn,
  })),
]

/** Cells in the order of time, in bursts of five that are half of them disturbed: up to twice the time and some more CPU. */
function disturbed(pairs: readonly CellPair[], random: () => number): readonly CellPair[] {
  const bursts = Array.from({ length: Math.ceil((pairs.length * 2) / 5) }, () => (random() < 0.5 ? 1 : 0))
  const slowed = (cell: SoundCell, order: number): SoundCell => {
    const burst = bursts[Math.floor(order / 5)] ?? 0
    const [time, cpu] = [1 + burst * (0.3 + 0.7 * random()), 1 + burst * 0.15 * random()]
    return withNoisyValues(cell, (name, value) => {
      if (name.endsWith('wallMs')) return value * time
      if (name.endsWith('cpuSeconds')) return value * cpu
      return name.endsWith('PerSecond') ? value / time : value
    })
  }
  return pairs.map(({ baseline, candidate }, index) => {
    const [first, second] = index % 2 === 0 ? [0, 1] : [1, 0]
    const sound = (cell: Cell, order: number) => (cell.status === 'ok' ? slowed(cell, order) : cell)
    return {
      baseline: sound(baseline, 2 * index + first),
      candidate: sound(candidate, 2 * index + second),
    }
  })
}

/** `worse` or `better` where any metric is called so: of nothing, either is a false alarm. */
function anyVerdict({ verdict, judgements }: Comparison): Verdict {
  if (verdict === 'regression' || verdict === 'wrong-data') return 'worse'
  if (judgements.some((judgement) => judgement.verdict === 'better')) return 'better'
  return verdict === 'inconclusive' ? 'inconclusive' : 'same'
}
