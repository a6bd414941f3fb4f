import { compareFiles, drawPairs, type RecordedPair, scaledNoise } from './calibration/recorded-pairs.ts'
import { NOTHING, TRIALS, type TrialOptions } from './calibration/trials.ts'
import type { Judgement, Verdict } from './compare/judgement.ts'
import type { Results } from './schema.ts'

export interface CalibrationOptions extends TrialOptions {
  /** Numbers of pairs that are tried. */
  readonly pairs: readonly number[]
  /** What the recorded noise is multiplied with, as a power: 1 as it was, ¼ a calm machine. */
  readonly noise: readonly number[]
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

/**
 * How often the rules of a comparison cry wolf, and how often they find what is planted, over pairs that are drawn from a run
 * that measured one thing twice in each repetition.
 * @param results the run, for all that isn't a cell
 * @throws RangeError without any pair
 */
export function calibrate(
  results: Results,
  recorded: readonly RecordedPair[],
  options: CalibrationOptions,
): Calibration {
  const [some] = recorded
  if (some === undefined) throw new RangeError('There is no cell that was measured twice.')
  const settings = options.noise.flatMap((noise) => options.pairs.map((pairs) => ({ noise, pairs })))
  const planned = settings.flatMap((setting) => TRIALS.map((trial) => ({ ...setting, trial })))
  const family: number[] = []
  const ofNothing: Judgement[] = []
  const rows = planned.map(({ noise, pairs, trial }, index) => {
    const scaled = scaledNoise(recorded, noise)
    const verdicts = Array.from({ length: options.trials }, () => {
      const drawn = trial.files(drawPairs(scaled, pairs, options.random), options.random)
      const compared = compareFiles(results, drawn, options.compare)
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

function intervalsHoldingOne(judgements: readonly Judgement[]): Calibration['intervals'] {
  const intervals = judgements.flatMap(({ rule, low, high }) =>
    rule === 'paired' && low !== null && high !== null ? [{ low, high }] : [],
  )
  return { holding: intervals.filter(({ low, high }) => low <= 1 && high >= 1).length, of: intervals.length }
}

function countsOf(verdicts: readonly Verdict[]): Readonly<Record<Verdict, number>> {
  const counts = { better: 0, same: 0, worse: 0, inconclusive: 0 }
  for (const verdict of verdicts) counts[verdict] += 1
  return counts
}
