import type { Scalar } from '../schema.ts'
import { type ArmSummary, medianOf, rankArms } from '../summary/arms.ts'
import type { PointSummary } from '../summary/points.ts'
import type { ScenarioSummary } from '../summary.ts'
import { metricTable } from '../tables/grid.ts'
import type { Table } from '../tables/table.ts'

export const FORMATS = ['ducklake', 'delta'] as const
export type Format = (typeof FORMATS)[number]
/** As a reader knows them. */
export const FORMAT_NAMES: Readonly<Record<Format, string>> = { ducklake: 'DuckLake', delta: 'Delta' }

/** One arm at one point: where figures are taken from. */
export interface Spot {
  readonly scenario: string
  readonly at: string
  readonly point: PointSummary
  readonly arm: ArmSummary
}

/** The summaries of a results set, by scenario. */
export type Evidence = ReadonlyMap<string, ScenarioSummary>

/** All arms at a point that passed all of their repetitions and measured the metric, the best first. */
export function ranked(scenario: string, point: PointSummary, metric: string): readonly Spot[] {
  return rankArms(point.arms, metric)
    .filter((arm) => arm.sound && arm.figures.has(metric))
    .map((arm) => ({ scenario, at: point.label, point, arm }))
}

/** The best arm of a format at a point; null where none of it passed. */
export function bestOf(scenario: string, point: PointSummary, metric: string, format: Format): Spot | null {
  return ranked(scenario, point, metric).find(({ arm }) => arm.format === format) ?? null
}

/** The tables of those metrics that were measured at all. */
export function measuredTables(
  summary: ScenarioSummary | undefined,
  metrics: readonly string[],
): readonly Table[] {
  if (summary === undefined) return []
  const arms = summary.points.flatMap((point) => point.arms)
  return metrics
    .filter((metric) => arms.some(({ figures }) => figures.has(metric)))
    .map((metric) => metricTable(summary, metric))
}

/** The same arm at another point; null where it did not pass or measure the metric there. */
export function sameArmAt({ scenario, arm }: Spot, point: PointSummary, metric: string): Spot | null {
  return ranked(scenario, point, metric).find((other) => other.arm.arm === arm.arm) ?? null
}

/** Points that differ in nothing but one axis, with two of them or more. */
export function pointsAlong(
  points: readonly PointSummary[],
  axis: string,
): readonly (readonly PointSummary[])[] {
  const elsewhere = ({ point }: PointSummary) => JSON.stringify({ ...point, [axis]: null })
  return [...Map.groupBy(points, elsewhere).values()].filter((group) => group.length > 1)
}

/** The point at which a metric of some arm is largest: where what was measured is nearest to what is asked. */
export function largest(points: readonly PointSummary[], metric: string): PointSummary | null {
  const size = ({ arms }: PointSummary) => Math.max(...arms.map((arm) => medianOf(arm, metric) ?? -Infinity))
  return points.toSorted((a, b) => size(b) - size(a))[0] ?? null
}

export function numberAt({ point }: PointSummary, axis: string): number | null {
  const value: Scalar | undefined = point[axis]
  return typeof value === 'number' ? value : null
}
