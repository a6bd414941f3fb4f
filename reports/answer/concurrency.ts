/** The second question: what writers at once cost DuckLake. */
import type { ScenarioSummary } from '../summary.ts'
import type { Answer } from './answer.ts'
import { bestOfBoth } from './best-of-both.ts'
import { type Evidence, measuredTables, type Spot } from './evidence.ts'
import { type Losses, lossesOf } from './losses.ts'
import { derived, joined, median, type Statement, state, timesOf } from './statement.ts'
import {
  COMMITS,
  CONCURRENCY,
  describePace,
  fastestAtMost,
  isCoordinated,
  mainPoints,
  speedUp,
} from './writers.ts'

/** From this multiple of one writer's commits per second on, more writers are worth having; below the other they cost. */
const FASTER = 1.5
const SLOWER = 0.8

export function answerConcurrency(evidence: Evidence): Answer {
  const summary = evidence.get(CONCURRENCY)
  const alone = summary === undefined ? null : sideOf(summary, false)
  const together = summary === undefined ? null : sideOf(summary, true)
  return {
    question: 'How efficient is DuckLake under concurrent writers?',
    sentence: concurrencySentence(alone, together),
    figures: [
      ...(alone === null ? [] : sideFigures('Alone', alone)),
      ...(together === null ? [] : sideFigures('Coordinated', together)),
      ...bestOfBoth(evidence, 'small-commits', COMMITS, 'makes'),
    ],
    tables: measuredTables(summary, [COMMITS, 'attemptsPerCommit', 'commitLatencyP99Ms']),
    scenarios: [CONCURRENCY, 'small-commits'],
    gaps: ['Writers on several machines: all of them are processes of one, which share its cores.'],
  }
}

/** DuckLake's writers, either left to the engine or coordinated. */
interface Side {
  readonly fastest: Spot
  readonly scale: { readonly factor: number; readonly said: Statement } | null
  /** Over all work, not the fastest arm's alone. */
  readonly losses: Losses | null
}

function sideOf(summary: ScenarioSummary, coordinated: boolean): Side | null {
  const main = mainPoints(summary).filter((point) => isCoordinated(point) === coordinated)
  const fastest = fastestAtMost(main, 'ducklake')
  if (fastest === null) return null
  const all = summary.points.filter((point) => isCoordinated(point) === coordinated)
  return {
    fastest,
    scale: speedUp(main, fastest),
    losses: lossesOf(CONCURRENCY, all, 'ducklake'),
  }
}

function concurrencySentence(alone: Side | null, together: Side | null): Statement | null {
  const first = alone ?? together
  if (first === null) return null
  const gain =
    alone === null || together === null
      ? null
      : state`${timesOf(together.fastest, alone.fastest, COMMITS)} the engine's own pace`
  return joined(
    [
      state`${judgement(alone, together)}: ${describePace(first.fastest)}${scaleOf(first)}${lossClause(first)}`,
      first === together || together === null
        ? null
        : state`${describePace(together.fastest)}${gain === null ? '' : state`, ${gain}`}${lossClause(together)}`,
    ],
    '; ',
  )
}

/** What comes first is whether the data is right; how fast it got there comes after it. */
function judgement(alone: Side | null, together: Side | null): Statement {
  const sides = [alone, together].filter((side) => side !== null)
  const said = sides.map(({ fastest }) => median(fastest, COMMITS))
  const losing = (side: Side | null) => side?.losses?.safe === false
  if (losing(together)) return derived('Not safely, even coordinated', ...said)
  if (losing(alone)) return derived(together === null ? 'Not safely' : 'Only with coordination', ...said)
  const [fast] = sides.toSorted((a, b) => (b.scale?.factor ?? 0) - (a.scale?.factor ?? 0))
  const factor = fast?.scale?.factor
  const how = fast === together && alone !== null ? ' when coordinated' : ''
  if (factor === undefined) return derived('Measured at one number of writers', ...said)
  if (factor >= FASTER) return derived(`Efficient${how}, more writers commit more`, ...said)
  if (factor >= SLOWER) return derived('No faster than one writer', ...said)
  return derived('Inefficient, more writers commit less', ...said)
}

function scaleOf({ scale }: Side): Statement | string {
  return scale === null ? '' : state`, ${scale.said} one writer's`
}

function lossClause({ losses }: Side): Statement | string {
  return losses === null ? '' : state`, ${losses.said}`
}

function sideFigures(title: string, side: Side): readonly Statement[] {
  const { fastest, losses } = side
  return [
    state`${title}: ${describePace(fastest)}${scaleOf(side)} (${fastest.at}).`,
    ...(losses === null ? [] : [state`${title}: ${losses.said}.`]),
  ]
}
