/** The third question: whether Delta Lake reaches the same. */
import { enumerate } from '../format.ts'
import type { ScenarioSummary } from '../summary.ts'
import type { Answer } from './answer.ts'
import { bestOf, type Evidence, type Spot } from './evidence.ts'
import { lossesOf } from './losses.ts'
import { capOf } from './memory.ts'
import { joined, type Statement, state, timesOf, valueAt, withInterval } from './statement.ts'
import { COMMITS, CONCURRENCY, describePace, fastestAtMost, isCoordinated, mainPoints } from './writers.ts'

const CAP = 'leastCapBytes'
const APPLY = 'apply.wallMs'
/** Up to this multiple of DuckLake's memory, and down to this share of its commits, Delta counts as its equal. */
const EQUAL_MEMORY = 1.25
const EQUAL_PACE = 0.8

/** One thing that has to be reached. */
interface Goal {
  readonly name: (typeof GOALS)[number]
  readonly reached: boolean
  readonly said: Statement
}

export function answerDelta(evidence: Evidence): Answer {
  const goals = [memoryGoal(evidence), paceGoal(evidence), safetyGoal(evidence)].filter(
    (goal) => goal !== null,
  )
  return {
    question: 'Can the same concurrency and memory safety be reached with Delta Lake?',
    sentence: sentenceOf(goals),
    figures: [
      ...goals.map(
        ({ name, reached, said }) => state`${name}, ${reached ? 'reached' : 'not reached'}: ${said}.`,
      ),
      ...pairFigures(evidence, 'merge-partitions', APPLY),
      ...pairFigures(evidence, 'longevity', 'mergeMs'),
      ...pairFigures(evidence, 'read-back', 'merged-scan.wallMs'),
      ...faultFigures(evidence.get('catalog-faults')),
    ],
    tables: [],
    scenarios: ['memory-cap', CONCURRENCY, 'merge-partitions', 'catalog-faults', 'longevity', 'read-back'],
    gaps: GOALS.filter((name) => !goals.some((goal) => goal.name === name)).map(
      (name) => `${name} on Delta: nothing here holds it against DuckLake.`,
    ),
  }
}

const GOALS = ['Memory', 'Concurrency', 'Safety'] as const

function sentenceOf(goals: readonly Goal[]): Statement | null {
  const reached = goals.filter((goal) => goal.reached)
  const all = joined(
    goals.map(({ said }) => said),
    '; ',
  )
  return all === null ? null : state`${verdictOf(goals, reached.length)}: ${all}`
}

function verdictOf(goals: readonly Goal[], reached: number): string {
  const far =
    goals.length < GOALS.length
      ? `, as far as ${enumerate(goals.map(({ name }) => name.toLowerCase()))} ${goals.length === 1 ? 'goes' : 'go'}`
      : ''
  if (reached === goals.length) return `Yes${far}`
  return reached === 0 ? `No${far}` : `Partly${far}`
}

/** The point where Delta is furthest behind decides: a pod must be sized for the worst. */
function memoryGoal(evidence: Evidence): Goal | null {
  const pairs = pairsOf(evidence.get('memory-cap'), CAP)
  const [worst] = pairs.toSorted((a, b) => ratioOf(b, CAP) - ratioOf(a, CAP))
  if (worst === undefined) return null
  const { delta, duck } = worst
  return {
    name: 'Memory',
    reached: ratioOf(worst, CAP) <= EQUAL_MEMORY,
    said: state`${delta.arm.arm} merges in at most ${timesOf(delta, duck, CAP)} the memory of ${duck.arm.arm} (${capOf(delta)} at ${delta.at})`,
  }
}

function paceGoal(evidence: Evidence): Goal | null {
  const summary = evidence.get(CONCURRENCY)
  const points = summary === undefined ? [] : mainPoints(summary)
  const delta = fastestAtMost(points, 'delta')
  const duck = fastestAtMost(points, 'ducklake')
  if (delta === null || duck === null) return null
  return {
    name: 'Concurrency',
    reached: valueAt(delta, COMMITS) >= EQUAL_PACE * valueAt(duck, COMMITS),
    said: state`${describePace(delta)}, ${timesOf(delta, duck, COMMITS)} what ${duck.arm.arm} makes`,
  }
}

/** Safety counts wherever the rows of Delta tables were counted: after writers met, coordinated where they can be, or were killed. */
function safetyGoal(evidence: Evidence): Goal | null {
  const losses = [CONCURRENCY, 'catalog-faults', 'stripe-paging', 'nested'].flatMap((name) => {
    const points = evidence.get(name)?.points ?? []
    const coordinated = points.filter(isCoordinated)
    const found = lossesOf(name, coordinated.length > 0 ? coordinated : points, 'delta')
    return found === null ? [] : [{ name, ...found }]
  })
  const said = joined(
    losses.map(({ name, said: loss }) => state`${loss} in ${name}`),
    '; ',
  )
  if (said === null) return null
  return {
    name: 'Safety',
    reached: losses.every(({ safe }) => safe),
    said: state`of Delta tables ${said}`,
  }
}

interface Pair {
  readonly delta: Spot
  readonly duck: Spot
}

/** The best arm of each format, at every point where both have one. */
function pairsOf(summary: ScenarioSummary | undefined, metric: string): readonly Pair[] {
  if (summary === undefined) return []
  return summary.points.flatMap((point) => {
    const delta = bestOf(summary.name, point, metric, 'delta')
    const duck = bestOf(summary.name, point, metric, 'ducklake')
    return delta === null || duck === null ? [] : [{ delta, duck }]
  })
}

function ratioOf({ delta, duck }: Pair, metric: string): number {
  return valueAt(delta, metric) / valueAt(duck, metric)
}

/** Where Delta is furthest behind DuckLake, and where it is furthest ahead or least behind. */
function pairFigures(evidence: Evidence, scenario: string, metric: string): readonly Statement[] {
  const pairs = pairsOf(evidence.get(scenario), metric).toSorted(
    (a, b) => ratioOf(b, metric) - ratioOf(a, metric),
  )
  return [...new Set([pairs[0], pairs.at(-1)])].flatMap((pair) => {
    if (pair === undefined) return []
    const { delta, duck } = pair
    const where = delta.at === '' ? scenario : `${scenario} at ${delta.at}`
    return [
      state`In ${where}, ${delta.arm.arm} takes ${withInterval(delta, metric)}, ${timesOf(delta, duck, metric)} of ${duck.arm.arm} with ${withInterval(duck, metric)}.`,
    ]
  })
}

function faultFigures(summary: ScenarioSummary | undefined): readonly Statement[] {
  if (summary === undefined) return []
  return summary.points.flatMap((point) => {
    const spots = (['ducklake', 'delta'] as const).flatMap(
      (format) => bestOf('catalog-faults', point, 'recoveryMs', format) ?? [],
    )
    const all = joined(
      spots.map(
        (spot) => state`${spot.arm.arm} commits again ${withInterval(spot, 'recoveryMs')} after a fault`,
      ),
      '; ',
    )
    return all === null ? [] : [state`At ${point.label}, ${all}.`]
  })
}
