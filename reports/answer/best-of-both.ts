import { bestOf, type Evidence, FORMATS, largest } from './evidence.ts'
import { joined, type Statement, state, withInterval } from './statement.ts'

/**
 * What the best arm of each format does at the point where the metric is largest, as "At partitions 190, ducklake/merge
 * adds …; delta/deltalite adds …". No statement where it wasn't measured, or is 0 for every arm.
 */
export function bestOfBoth(
  evidence: Evidence,
  scenario: string,
  metric: string,
  verb: string,
): readonly Statement[] {
  const summary = evidence.get(scenario)
  const point = summary === undefined ? null : largest(summary.points, metric)
  if (point === null) return []
  const spots = FORMATS.flatMap((format) => bestOf(scenario, point, metric, format) ?? [])
  const said = spots.flatMap((spot) => {
    const figure = spot.arm.figures.get(metric)
    return figure === undefined || figure.interval.high === 0
      ? []
      : [state`${spot.arm.arm} ${verb} ${withInterval(spot, metric)}`]
  })
  const all = joined(said, '; ')
  const where = point.label === '' ? scenario : `${scenario} at ${point.label}`
  return all === null ? [] : [state`In ${where}, ${all}.`]
}
