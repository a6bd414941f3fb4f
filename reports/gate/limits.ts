import { parseLimit } from '../amounts.ts'
import { describeGroup } from '../compare/pairs.ts'
import { matches } from '../compare/pattern.ts'
import { formatMetricName, formatRatio, formatRatioRange, formatValue } from '../format.ts'
import { medianInterval } from '../statistics/median-interval.ts'
import { signedRankInterval } from '../statistics/signed-rank.ts'
import type { ArmSummary, Figure } from '../summary/arms.ts'
import type { PointSummary } from '../summary/points.ts'
import type { ScenarioSummary } from '../summary.ts'
import type { Check } from './check.ts'
import type { Budget } from './config.ts'

type Limit = Extract<Budget, { atMost: unknown } | { atLeast: unknown }>
type Times = Extract<Budget, { of: string }>

/** Fewer repetitions show nothing of their spread. */
const LEAST_REPETITIONS = 3

/** An arm at a point, and where it stands. */
interface Place {
  readonly scenario: string
  readonly at: string
  readonly arm: ArmSummary
  readonly point: PointSummary
}

/** Every figure that a budget of one run names, or one inconclusive check where it names none. */
export function checkWithinRun(
  budget: Limit | Times,
  scenarios: readonly ScenarioSummary[],
): readonly Check[] {
  const places = placesOf(budget, scenarios)
  const checks = places.flatMap((place) => checkPlace(budget, place))
  if (checks.length > 0) return checks
  const { scenario, arm, metric } = budget
  const text = `no cell of ${arm} in ${scenario} measured ${metric}`
  return [
    {
      ...unjudged('of' in budget ? 'arms' : 'limit', { scenario, arm, at: '', metric }),
      status: 'inconclusive',
      text,
    },
  ]
}

function placesOf(budget: Budget, scenarios: readonly ScenarioSummary[]): readonly Place[] {
  return scenarios
    .filter(({ name }) => matches(budget.scenario, name))
    .flatMap(({ name, points }) =>
      points.flatMap((point) =>
        point.arms
          .filter(({ arm }) => matches(budget.arm, arm))
          .map((arm) => ({ scenario: name, at: point.label, arm, point })),
      ),
    )
}

function checkPlace(budget: Limit | Times, place: Place): readonly Check[] {
  const { arm } = place
  const named = [...arm.figures].filter(([metric]) => matches(budget.metric, metric))
  if (named.length > 0)
    return named.flatMap(([metric, figure]) =>
      'of' in budget
        ? timesCheck(budget, place, metric, figure)
        : [limitCheck(budget, place, metric, figure)],
    )
  const killed = arm.cells.some(({ status }) => status !== 'ok' && status !== 'skipped')
  if (!killed) return []
  const kind = 'of' in budget ? 'arms' : 'limit'
  return [{ ...unjudged(kind, { ...at(place), metric: budget.metric }), status: 'failed', text: arm.outcome }]
}

/** Within it when the whole interval is, over it when none of it is: for few repetitions the interval is all that was measured. */
function limitCheck(budget: Limit, place: Place, metric: string, { unit, byRepetition }: Figure): Check {
  const [given, sign] = 'atMost' in budget ? [budget.atMost, 1] : [budget.atLeast, -1]
  const limit = parseLimit(given, unit)
  const base = unjudged('limit', { ...at(place), metric })
  if (limit === null)
    return {
      ...base,
      status: 'inconclusive',
      text: `the limit ${given} has another unit than ${metric}, ${unit}`,
    }
  const { low, high, median, n } = medianInterval([...byRepetition.values()])
  const range =
    n === 1 ? '' : ` (${formatValue(low, unit)} to ${formatValue(high, unit)} in ${n} repetitions)`
  const bound = `${sign === 1 ? 'at most' : 'at least'} ${formatValue(limit, unit)}`
  const text = `${formatMetricName(metric)} is ${formatValue(median, unit)}${range}, asked is ${bound}`
  const [best, worst] = sign === 1 ? [low, high] : [high, low]
  if (sign * worst <= sign * limit) return { ...base, status: 'passed', text }
  return { ...base, status: sign * best > sign * limit ? 'failed' : 'inconclusive', text }
}

/** The typical ratio within the repetitions of one run, where what slows the machine slows both arms. */
function timesCheck(budget: Times, place: Place, metric: string, { byRepetition }: Figure): readonly Check[] {
  const base = unjudged('arms', { ...at(place), metric })
  const other = place.point.arms.find(({ arm }) => arm === budget.of)?.figures.get(metric)
  const logs = [...byRepetition].flatMap(([repetition, value]) => {
    const theirs = other?.byRepetition.get(repetition)
    return theirs === undefined ? [] : [Math.log(value) - Math.log(theirs)]
  })
  const asked = `asked is at most ${formatRatio(budget.atMostTimes)} of ${budget.of}`
  if (logs.length < LEAST_REPETITIONS || !logs.every(Number.isFinite)) {
    const text = `${formatMetricName(metric)} has ${logs.length} repetitions beside ${budget.of} that make a ratio; ${asked}`
    return [{ ...base, status: 'inconclusive', text }]
  }
  const { centre, low, high } = signedRankInterval(logs)
  const limit = Math.log(budget.atMostTimes)
  const range = formatRatioRange(Math.exp(low), Math.exp(high))
  const text = `${formatMetricName(metric)} is ${formatRatio(Math.exp(centre))} (${range}), ${asked}`
  return [{ ...base, status: high <= limit ? 'passed' : low > limit ? 'failed' : 'inconclusive', text }]
}

function at({ scenario, at: label, arm }: Place): Pick<Check, 'scenario' | 'arm' | 'at'> {
  return { scenario, arm: arm.arm, at: label }
}

function unjudged(
  kind: Check['kind'],
  where: Pick<Check, 'scenario' | 'arm' | 'at' | 'metric'>,
): Omit<Check, 'status' | 'text'> {
  return { kind, ...where, worseBy: null, acknowledgement: null }
}

/** `merge-partitions at partitions 10, ducklake/merge: apply wall is 1.20 s, asked is at most 1.00 s` */
export function describeCheck(check: Check): string {
  const { acknowledgement: known } = check
  const why = known === null ? '' : ` (acknowledged until ${known.until}: ${known.reason})`
  return `${describeGroup(check)}: ${check.text}${why}`
}
