/** Figures of writers at once: with the most writers, alone and coordinated. */
import type { PointSummary } from '../summary/points.ts'
import type { ScenarioSummary } from '../summary.ts'
import { type Format, numberAt, ranked, type Spot, sameArmAt } from './evidence.ts'
import { derived, median, type Statement, state, timesOf, valueAt } from './statement.ts'

export const CONCURRENCY = 'concurrency'
export const COMMITS = 'commitsPerSecond'
const ATTEMPTS = 'attemptsPerCommit'
const P50 = 'commitLatencyP50Ms'
const P99 = 'commitLatencyP99Ms'

export const WRITERS = 'writers'
/** The value of the axis `coordination` where engines are left to themselves. */
const ALONE = 'none'

export function isCoordinated({ point }: PointSummary): boolean {
  const coordination = point['coordination']
  return coordination !== undefined && coordination !== ALONE
}

/**
 * The points of the work that is asked about: writers that change stored rows, each in a partition of its own; where a
 * run lacks them, whatever work it has with the most writers.
 */
export function mainPoints({ points }: ScenarioSummary): readonly PointSummary[] {
  const asked = points.filter(
    ({ point }) => point['operation'] === 'upsert-existing' && point['target'] === 'own-partition',
  )
  if (asked.length > 0) return asked
  const [first] = points.toSorted((a, b) => (numberAt(b, WRITERS) ?? 0) - (numberAt(a, WRITERS) ?? 0))
  const work = ({ point }: PointSummary) => JSON.stringify([point['operation'], point['target']])
  return points.filter((point) => first !== undefined && work(point) === work(first))
}

/** The fastest arm of a format with the most writers among the points. */
export function fastestAtMost(points: readonly PointSummary[], format: Format): Spot | null {
  const most = Math.max(...points.map((point) => numberAt(point, WRITERS) ?? 0))
  const spots = points
    .filter((point) => numberAt(point, WRITERS) === most)
    .flatMap((point) => ranked(CONCURRENCY, point, COMMITS).filter(({ arm }) => arm.format === format))
  return spots.toSorted((a, b) => valueAt(b, COMMITS) - valueAt(a, COMMITS))[0] ?? null
}

/** `16 writers make 6.00 commits/s with 2.00 attempts per commit and a p99 of 60× the p50`. */
export function describePace(spot: Spot): Statement {
  const writers = numberAt(spot.point, WRITERS) ?? 0
  const how = isCoordinated(spot.point) ? ` coordinated by ${spot.point.point['coordination']}` : ''
  const attempts = spot.arm.figures.has(ATTEMPTS) ? state` with ${attemptsOf(spot)}` : ''
  const tail =
    spot.arm.figures.has(P99) && spot.arm.figures.has(P50) ? state`, the p99 ${tailOf(spot)} the p50` : ''
  return state`${spot.arm.arm} with ${String(writers)} writers${how} makes ${median(spot, COMMITS)}${attempts}${tail}`
}

function attemptsOf(spot: Spot): Statement {
  const attempts = median(spot, ATTEMPTS)
  return derived(`${valueAt(spot, ATTEMPTS).toFixed(2)} attempts per commit`, attempts)
}

function tailOf(spot: Spot): Statement {
  const factor = valueAt(spot, P99) / valueAt(spot, P50)
  return derived(`${factor.toFixed(factor < 10 ? 1 : 0)}×`, median(spot, P99), median(spot, P50))
}

/** How many times the commits per second of the fastest are those of the same arm with one writer, all else the same. */
export function speedUp(points: readonly PointSummary[], spot: Spot): SpeedUp | null {
  const elsewhere = ({ point }: PointSummary) => JSON.stringify({ ...point, [WRITERS]: null })
  const alone = points.find(
    (point) => numberAt(point, WRITERS) === 1 && elsewhere(point) === elsewhere(spot.point),
  )
  const one = alone === undefined ? null : sameArmAt(spot, alone, COMMITS)
  if (one === null) return null
  return { factor: valueAt(spot, COMMITS) / valueAt(one, COMMITS), said: timesOf(spot, one, COMMITS) }
}

interface SpeedUp {
  readonly factor: number
  readonly said: Statement
}
