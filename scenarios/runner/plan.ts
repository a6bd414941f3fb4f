import type { Arm } from '../../backends/backend.ts'
import { cellId, type Point, type Scalar } from '../../reports/schema.ts'
import type { PlannedCell, Profile, Scenario } from '../scenario.ts'

/** What of a scenario is run. */
export interface CellsWanted {
  readonly profile: Profile
  readonly arms: readonly Arm[]
  /** Instead of the profile's values, by axis; axes that a scenario doesn't have are not for it. */
  readonly axes: Readonly<Record<string, readonly Scalar[]>>
  readonly repeat: number
  /** The number of the first repetition: above 0 where others were measured before. */
  readonly firstRepetition?: number
  /** Whether the first arm of each point runs twice in each repetition. */
  readonly control: boolean
}

/** The values of a scenario's axes in a run. */
export function axisValues(
  scenario: Scenario,
  { profile, axes }: Pick<CellsWanted, 'profile' | 'axes'>,
): Readonly<Record<string, readonly Scalar[]>> {
  const own = scenario.profiles[profile].axes
  return Object.fromEntries(scenario.axes.map(({ name }) => [name, axes[name] ?? own[name] ?? []]))
}

/** Every combination of axis values, the first axis slowest. */
export function points(values: Readonly<Record<string, readonly Scalar[]>>): readonly Point[] {
  return Object.entries(values).reduce<readonly Point[]>(
    (all, [axis, ofAxis]) => all.flatMap((point) => ofAxis.map((value) => ({ ...point, [axis]: value }))),
    [{}],
  )
}

/**
 * The cells of one scenario in the order in which they run: point by point, all arms once, then all arms once more in the
 * opposite order, and so on (ABBA), so that a machine that grows slower or faster favours no arm. The control of an arm
 * stands next to it.
 */
export function planCells(scenario: Scenario, wanted: CellsWanted): readonly PlannedCell[] {
  const { repeat, firstRepetition = 0 } = wanted
  const repetitions = Array.from({ length: repeat }, (_, index) => firstRepetition + index)
  return points(axisValues(scenario, wanted)).flatMap((point) => {
    const arms = wanted.arms.filter((arm) => excluded(scenario, arm, point, wanted.profile) === null)
    const doubled = wanted.control ? arms[0] : undefined
    return repetitions.flatMap((repetition) => {
      const runs = arms.flatMap((arm) =>
        arm === doubled
          ? [
              { arm, control: false },
              { arm, control: true },
            ]
          : [{ arm, control: false }],
      )
      return (repetition % 2 === 0 ? runs : runs.toReversed()).map(({ arm, control }) => {
        const cell = { scenario, arm, point, repetition, control }
        return { ...cell, id: cellId({ ...cell, scenario: scenario.name }) }
      })
    })
  })
}

/** Why the arms and points of a plan make no cell, each reason once; empty where one does. */
export function reasonsForNoCells(scenario: Scenario, wanted: CellsWanted): readonly string[] {
  const reasons = points(axisValues(scenario, wanted)).flatMap((point) =>
    wanted.arms.map((arm) => excluded(scenario, arm, point, wanted.profile)),
  )
  return reasons.includes(null) ? [] : [...new Set(reasons.filter((reason) => reason !== null))]
}

function excluded(scenario: Scenario, arm: Arm, point: Point, profile: Profile): string | null {
  return scenario.excludes?.(arm, point, profile) ?? null
}
