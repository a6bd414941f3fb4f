import { formatPoint } from '../format.ts'
import type { Cell, Point, Scenario } from '../schema.ts'
import { type ArmSummary, rankArms, summarizeArms } from './arms.ts'
import { judge, type Verdict } from './verdict.ts'

/** What was measured at one point of a scenario's axes. Arms are compared within it only. */
export interface PointSummary {
  readonly point: Point
  /** The point in words; empty for a scenario without axes. */
  readonly label: string
  /** Ranked; arms that failed come last and are never dropped. */
  readonly arms: readonly ArmSummary[]
  readonly verdict: Verdict
}

/** The points of a scenario that have cells, in the order of the axes' values. */
export function summarizePoints(
  { axes }: Scenario,
  cells: readonly Cell[],
  metric: string | null,
): readonly PointSummary[] {
  const place = (point: Point) => axes.map((axis) => axis.values.indexOf(point[axis.name] ?? ''))
  return [...Map.groupBy(cells, ({ point }) => JSON.stringify(point)).values()]
    .flatMap((same) => {
      const point = same[0]?.point
      if (point === undefined) return []
      const arms = rankArms(summarizeArms(same), metric)
      return [{ point, label: formatPoint(point, axes), arms, verdict: judge(arms, metric) }]
    })
    .toSorted((a, b) => compareInTurn(place(a.point), place(b.point)))
}

function compareInTurn(a: readonly number[], b: readonly number[]): number {
  return a.map((value, index) => value - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0
}
