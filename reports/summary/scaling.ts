import { formatPoint } from '../format.ts'
import type { Axis, Scenario } from '../schema.ts'
import { type Growth, growthOf } from '../statistics/theil-sen.ts'
import { type ArmSummary, medianOf } from './arms.ts'
import type { PointSummary } from './points.ts'

/** How the medians of one metric grow over one numeric axis while the other axes stay where they are. */
export interface Scaling {
  readonly metric: string
  readonly axis: Axis
  /** Where the other axes are, in words; empty when there are none. */
  readonly elsewhere: string
  readonly steps: readonly ScalingStep[]
  readonly arms: readonly string[]
  /** By arm; null with fewer than three values that have a logarithm. */
  readonly growth: ReadonlyMap<string, Growth | null>
}

interface ScalingStep {
  readonly value: number
  /** The whole point in words. */
  readonly label: string
  readonly arms: ReadonlyMap<string, ArmSummary>
}

/** The scalings of a metric over each numeric axis that has at least two values. */
export function scalingsOf(
  scenario: Scenario,
  points: readonly PointSummary[],
  metric: string,
): readonly Scaling[] {
  return scenario.axes.flatMap((axis) => {
    const others = scenario.axes.filter((other) => other !== axis)
    const groups = Map.groupBy(points, ({ point }) => formatPoint(point, others))
    return [...groups].flatMap(([elsewhere, along]) => {
      const steps = along.flatMap((point) => stepOf(point, axis))
      return steps.length < 2 ? [] : [scalingOf(metric, axis, elsewhere, steps)]
    })
  })
}

function stepOf({ point, label, arms }: PointSummary, axis: Axis): readonly ScalingStep[] {
  const value = point[axis.name]
  return typeof value === 'number' ? [{ value, label, arms: new Map(arms.map((arm) => [arm.arm, arm])) }] : []
}

function scalingOf(metric: string, axis: Axis, elsewhere: string, steps: readonly ScalingStep[]): Scaling {
  const arms = [...new Set(steps.flatMap((step) => [...step.arms.keys()]))].toSorted()
  const growth = new Map(arms.map((arm) => [arm, growthOf(curveOf(steps, arm, metric))]))
  return { metric, axis, elsewhere, steps, arms, growth }
}

/** The medians of an arm along the axis, where it passed. */
export function curveOf(
  steps: readonly ScalingStep[],
  arm: string,
  metric: string,
): readonly (readonly [x: number, y: number])[] {
  return steps.flatMap((step) => {
    const summary = step.arms.get(arm)
    const median = summary === undefined ? null : medianOf(summary, metric)
    return median === null ? [] : [[step.value, median] as const]
  })
}

/** Where along the axis an arm failed in some repetition, with what went wrong. What was skipped has not failed. */
export function failuresOf(
  steps: readonly ScalingStep[],
  arm: string,
): readonly { readonly value: number; readonly label: string; readonly outcome: string }[] {
  return steps.flatMap(({ value, label, arms }) => {
    const summary = arms.get(arm)
    const failed = summary?.cells.some(({ status }) => status !== 'ok' && status !== 'skipped') ?? false
    return summary === undefined || !failed ? [] : [{ value, label, outcome: summary.outcome }]
  })
}
