import type { Arm } from '../../backends/backend.ts'
import type { PhaseName } from '../../reports/schema.ts'
import type { Profile, Scenario } from '../scenario.ts'

/** One arm × one scenario × one repetition, always in fresh processes. */
export interface PlannedCell {
  readonly id: string
  readonly scenario: Scenario
  readonly arm: Arm
  /** From 0. */
  readonly repetition: number
  readonly phases: readonly PhaseName[]
}

/**
 * The cells of one scenario in the order in which they run: all arms once, then all arms once more in the opposite
 * order, and so on (ABBA), so that a machine that grows slower or faster favours no arm.
 */
export function planCells(
  scenario: Scenario,
  profile: Profile,
  arms: readonly Arm[],
  repeat: number,
): readonly PlannedCell[] {
  return Array.from({ length: repeat }, (_, repetition) => repetition).flatMap((repetition) =>
    (repetition % 2 === 0 ? arms : arms.toReversed()).map((arm) => ({
      id: `${scenario.name}/${arm}/${repetition}`,
      scenario,
      arm,
      repetition,
      phases: phasesOf(scenario, profile, repetition),
    })),
  )
}

function phasesOf(scenario: Scenario, profile: Profile, repetition: number): readonly PhaseName[] {
  const { firstRepetitionOnly } = scenario.profiles[profile]
  return repetition === 0
    ? scenario.phases
    : scenario.phases.filter((phase) => !firstRepetitionOnly.includes(phase))
}
