import { metricsOf } from '../metrics.ts'
import type { Cell, Metric, SoundCell } from '../schema.ts'
import { type MedianInterval, medianInterval } from '../statistics/median-interval.ts'
import { describeOutcome } from './outcome.ts'

/** One metric of an arm over the repetitions that passed and measured it. */
export interface Figure extends Pick<Metric, 'unit' | 'better' | 'kind'> {
  readonly byRepetition: ReadonlyMap<number, number>
  readonly interval: MedianInterval
}

/** One arm at one point of a scenario: a row of every table, whether it passed or not. */
export interface ArmSummary {
  readonly arm: string
  readonly format: string
  /** By repetition. */
  readonly cells: readonly Cell[]
  readonly passed: readonly SoundCell[]
  /** Control cells with wrong data: second runs are there for noise and are in no figure, but what they found is of the arm. */
  readonly wrongControls: readonly Cell[]
  /** Every repetition that ran has passed, and no control cell had wrong data; only such an arm is ranked. */
  readonly sound: boolean
  /** `passed`, or what went wrong and how often. */
  readonly outcome: string
  /** By the name that `metricsOf` gives; empty when no repetition passed. */
  readonly figures: ReadonlyMap<string, Figure>
}

/** The arms of some cells in the order in which they first ran. */
export function summarizeArms(cells: readonly Cell[]): readonly ArmSummary[] {
  const byArm = Map.groupBy(
    cells.filter((cell) => !cell.control),
    (cell) => cell.arm,
  )
  const wrong = cells.filter((cell) => cell.control && cell.status === 'wrong-data')
  return [...byArm].map(([arm, own]) =>
    summarizeArm(
      arm,
      own,
      wrong.filter((cell) => cell.arm === arm),
    ),
  )
}

/** Sound arms, the best median of the metric first; then the others in the order in which they were given. */
export function rankArms(arms: readonly ArmSummary[], metric: string | null): readonly ArmSummary[] {
  const rank = (arm: ArmSummary) => {
    const figure = metric !== null && arm.sound ? arm.figures.get(metric) : undefined
    if (figure === undefined) return Infinity
    return figure.better === 'higher' ? -figure.interval.median : figure.interval.median
  }
  return arms.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)))
}

/** The median of a metric, or null where no repetition that passed has measured it. */
export function medianOf(arm: ArmSummary, metric: string): number | null {
  return arm.figures.get(metric)?.interval.median ?? null
}

function summarizeArm(arm: string, unsorted: readonly Cell[], wrongControls: readonly Cell[]): ArmSummary {
  const cells = unsorted.toSorted((a, b) => a.repetition - b.repetition)
  const passed = cells.filter((cell) => cell.status === 'ok')
  return {
    arm,
    format: arm.split('/')[0] ?? arm,
    cells,
    passed,
    wrongControls,
    sound: passed.length === cells.length && wrongControls.length === 0,
    outcome: describeOutcome([...cells, ...wrongControls]),
    figures: figuresOf(passed),
  }
}

function figuresOf(passed: readonly SoundCell[]): ReadonlyMap<string, Figure> {
  const measured = passed.flatMap((cell) =>
    [...metricsOf(cell)].map(([name, metric]) => ({ name, metric, repetition: cell.repetition })),
  )
  const byName = Map.groupBy(measured, ({ name }) => name)
  return new Map(
    [...byName].flatMap(([name, values]) => {
      const metric = values[0]?.metric
      if (metric === undefined) return []
      const { unit, better, kind } = metric
      const byRepetition = new Map(values.map((value) => [value.repetition, value.metric.value]))
      return [
        [name, { unit, better, kind, byRepetition, interval: medianInterval([...byRepetition.values()]) }],
      ]
    }),
  )
}
