import { EFFECTS, type Effect } from './calibration/effects.ts'
import { withNoisyValues } from './calibration/noisy-values.ts'
import { drawPairs, type RecordedPair, recordedPairs, scaledNoise } from './calibration/recorded-pairs.ts'
import type { Judgement, Verdict } from './compare/judgement.ts'
import type { CellPair } from './compare/pairs.ts'
import { matches } from './compare/pattern.ts'
import { type Comparison, compareResults } from './compare.ts'
import { cellId, type Results, type SoundCell } from './schema.ts'

export interface CalibrationOptions {
  /** Which metrics are judged together. */
  readonly metrics: readonly string[]
  /** Numbers of pairs that are tried. */
  readonly pairs: readonly number[]
  /** What the recorded noise is multiplied with, as a power: 1 as it was, ¼ a calm machine. */
  readonly noise: readonly number[]
  readonly trials: number
  /** From 0, to 1 exclusive. */
  readonly random: () => number
  readonly onRow?: (done: number, of: number) => void
}

/** What a gate said of one effect over many trials: how many found it, called it the same, or left it open. */
export interface CalibrationRow {
  readonly effect: string
  readonly noise: number
  readonly pairs: number
  readonly trials: number
  /** By verdict on the metric that the effect changes; of nothing at all, by verdict on any. */
  readonly counts: Readonly<Record<Verdict, number>>
}

export interface Calibration {
  /** The pairs of one thing against itself that were recorded, of which arm and scenario. */
  readonly recorded: number
  readonly scenario: string
  readonly arm: string
  readonly family: number
  /** Of the 95 % intervals of noisy metrics between two runs of the same thing: how many hold no difference, of how many. */
  readonly intervals: { readonly holding: number; readonly of: number }
  readonly rows: readonly CalibrationRow[]
}

/** Something that happens to both sides, or to none. */
interface Trial {
  readonly name: string
  readonly files: (pairs: readonly CellPair[], random: () => number) => readonly CellPair[]
  readonly verdictIn: Effect['verdictIn']
}

const NOTHING: Trial = { name: 'nothing', files: (pairs) => pairs, verdictIn: anyVerdict }

const TRIALS: readonly Trial[] = [
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

/**
 * How often the rules of a comparison cry wolf, and how often they find what is planted, over pairs that are drawn from a run
 * that measured one thing twice in each repetition.
 * @throws RangeError when the run has no such pairs
 */
export function calibrate(results: Results, options: CalibrationOptions): Calibration {
  const recorded = recordedPairs(results)
  const [some] = recorded
  if (some === undefined) throw new RangeError('The run has no cell that was measured twice.')
  const settings = options.noise.flatMap((noise) => options.pairs.map((pairs) => ({ noise, pairs })))
  const planned = settings.flatMap((setting) => TRIALS.map((trial) => ({ ...setting, trial })))
  const family: number[] = []
  const ofNothing: Judgement[] = []
  const rows = planned.map(({ noise, pairs, trial }, index) => {
    const scaled = scaledNoise(recorded, noise)
    const verdicts = Array.from({ length: options.trials }, () => {
      const compared = tryOnce(results, scaled, pairs, trial, options)
      family.push(compared.family)
      if (trial === NOTHING) ofNothing.push(...compared.judgements)
      return trial.verdictIn(compared)
    })
    options.onRow?.(index + 1, planned.length)
    return { effect: trial.name, noise, pairs, trials: options.trials, counts: countsOf(verdicts) }
  })
  return {
    recorded: recorded.length,
    scenario: some.first.scenario,
    arm: some.first.arm,
    family: Math.max(0, ...family),
    intervals: intervalsHoldingOne(ofNothing),
    rows,
  }
}

function tryOnce(
  results: Results,
  recorded: readonly RecordedPair[],
  n: number,
  trial: Trial,
  { metrics, random }: CalibrationOptions,
): Comparison {
  const pairs = trial.files(drawPairs(recorded, n, random), random)
  const fileOf = (side: keyof CellPair): Results => ({
    ...results,
    cells: pairs.map((pair) => ({ ...pair[side], id: cellId(pair[side]) })),
  })
  return compareResults(fileOf('baseline'), fileOf('candidate'), {
    judges: ({ metric }) => metrics.some((pattern) => matches(pattern, metric)),
  })
}

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
    return {
      baseline: baseline.status === 'ok' ? slowed(baseline, 2 * index + first) : baseline,
      candidate: candidate.status === 'ok' ? slowed(candidate, 2 * index + second) : candidate,
    }
  })
}

function intervalsHoldingOne(judgements: readonly Judgement[]): Calibration['intervals'] {
  const intervals = judgements.flatMap(({ rule, low, high }) =>
    rule === 'paired' && low !== null && high !== null ? [{ low, high }] : [],
  )
  return { holding: intervals.filter(({ low, high }) => low <= 1 && high >= 1).length, of: intervals.length }
}

/** `worse` or `better` where any metric is called so: of nothing, either is a false alarm. */
function anyVerdict({ verdict, judgements }: Comparison): Verdict {
  if (verdict === 'regression' || verdict === 'wrong-data') return 'worse'
  if (judgements.some((judgement) => judgement.verdict === 'better')) return 'better'
  return verdict === 'inconclusive' ? 'inconclusive' : 'same'
}

function countsOf(verdicts: readonly Verdict[]): Readonly<Record<Verdict, number>> {
  const counts = { better: 0, same: 0, worse: 0, inconclusive: 0 }
  for (const verdict of verdicts) counts[verdict] += 1
  return counts
}
