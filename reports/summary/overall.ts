import { enumerate, plural } from '../format.ts'
import type { PointSummary } from './points.ts'
import type { Verdict } from './verdict.ts'

/** The verdict of a whole scenario: that of its only point, or who wins at how many of its points. */
export function judgeOverall(points: readonly PointSummary[]): Verdict {
  const [only] = points
  if (points.length === 1 && only !== undefined) return only.verdict
  const wins = [...Map.groupBy(points, ({ verdict }) => verdict.winner)]
    .flatMap(([winner, won]) => (winner === null ? [] : [{ winner, count: won.length }]))
    .toSorted((a, b) => b.count - a.count)
  const open = points.filter(({ verdict }) => verdict.winner === null).length
  return {
    winner: wins[0]?.count === points.length ? wins[0].winner : null,
    headline: describeWins(wins, open, points.length),
    details: [...describePoints(points), ...describeFailures(points)],
  }
}

/** From more points on, the table of all points says it in less room. */
const TOLD_POINTS = 6

function describePoints(points: readonly PointSummary[]): readonly string[] {
  return points.length > TOLD_POINTS
    ? []
    : points.map(({ label, verdict }) => `At ${label}: ${verdict.headline}`)
}

/** An arm that failed anywhere is named with the points where it did, however many it has won. */
function describeFailures(points: readonly PointSummary[]): readonly string[] {
  const failures = points.flatMap(({ label, arms }) =>
    arms.filter((arm) => !arm.sound).map(({ arm, outcome }) => ({ arm, label, outcome })),
  )
  return [...Map.groupBy(failures, ({ arm, outcome }) => `${arm}: ${outcome}`)].map(([what, where]) => {
    const first = where.slice(0, TOLD_POINTS).map(({ label }) => label)
    const rest = where.length - first.length
    return `${what} at ${first.join('; ')}${rest > 0 ? `; and ${plural(rest, 'more point')}` : ''}.`
  })
}

function describeWins(
  wins: readonly { readonly winner: string; readonly count: number }[],
  open: number,
  total: number,
): string {
  if (total === 0) return 'There is no winner: nothing was measured.'
  const [first] = wins
  if (first === undefined) return `There is no clear winner at any of ${plural(total, 'point')}.`
  if (first.count === total) return `${first.winner} wins at all ${plural(total, 'point')}.`
  const shares = wins.map(({ winner, count }) => `${winner} at ${count} of ${total}`)
  const rest = open === 0 ? '' : `; ${plural(open, 'point')} ${open === 1 ? 'has' : 'have'} no clear winner`
  return `The best arm depends on the point: ${enumerate(shares)}${rest}.`
}
