/** The decision table: which arm to choose where, from what was measured at each point. */
import { enumerate, formatAxisValue, formatMetricName, formatPoint } from '../format.ts'
import type { Axis } from '../schema.ts'
import { advantageOf, certainty, isDecided } from '../summary/comparison.ts'
import type { ScenarioSummary } from '../summary.ts'
import { type Table, text } from '../tables/table.ts'
import { type Evidence, numberAt, ranked, type Spot } from './evidence.ts'
import { joined, median, type Statement, state, timesOf, valueAt } from './statement.ts'

interface Rule {
  readonly scenario: string
  /** What decides there. */
  readonly metric: string
  /** Points that follow one another on this axis and have the same choice are one row. */
  readonly axis: string
  readonly situation: string
}

const RULES: readonly Rule[] = [
  {
    scenario: 'concurrency',
    metric: 'commitsPerSecond',
    axis: 'writers',
    situation: 'several writers commit at once',
  },
  {
    scenario: 'merge-partitions',
    metric: 'apply.wallMs',
    axis: 'partitions',
    situation: 'a small batch touches every partition',
  },
  { scenario: 'memory-cap', metric: 'leastCapBytes', axis: 'tableSize', situation: 'memory is scarce' },
  { scenario: 'wide-json', metric: 'apply.wallMs', axis: 'rowBytes', situation: 'rows are wide' },
  {
    scenario: 'small-commits',
    metric: 'commitsPerSecond',
    axis: 'rowsPerCommit',
    situation: 'commits are small and many',
  },
  {
    scenario: 'longevity',
    metric: 'mergeMs',
    axis: 'merges',
    situation: 'a table is merged into again and again',
  },
  {
    scenario: 'read-back',
    metric: 'merged-scan.wallMs',
    axis: 'merges',
    situation: 'readers scan the table between merges and maintenance',
  },
  { scenario: 'catalog-faults', metric: 'recoveryMs', axis: 'durationMs', situation: 'servers fail' },
]

export interface Decision {
  /** As in "if your partitions are 10 to 190, …". */
  readonly when: string
  /** The best arm, and those that the repetitions don't tell from it. */
  readonly choose: readonly string[]
  readonly because: Statement
  readonly sureness: string
}

export function decide(evidence: Evidence): readonly Decision[] {
  return RULES.flatMap((rule) => {
    const summary = evidence.get(rule.scenario)
    return summary === undefined ? [] : decisionsOf(rule, summary)
  })
}

export function decisionTable(decisions: readonly Decision[]): Table {
  return {
    title: 'What to choose',
    columns: ['if', 'choose', 'because', 'how sure'].map(text),
    rows: decisions.map(({ when, choose, because, sureness }) => [
      when,
      choose.join(' or '),
      because.text,
      sureness,
    ]),
  }
}

/** What is best at one point. */
interface Choice {
  readonly spots: readonly Spot[]
  readonly best: readonly Spot[]
}

function decisionsOf(rule: Rule, summary: ScenarioSummary): readonly Decision[] {
  const { axes } = summary.scenario
  const along = axes.find(({ name }) => name === rule.axis)
  const others = axes.filter((axis) => axis !== along)
  const choices = summary.points.flatMap((point) => {
    const spots = ranked(rule.scenario, point, rule.metric)
    return spots.length === 0 ? [] : [{ spots, best: bestAmong(spots, rule.metric) }]
  })
  return [...Map.groupBy(choices, (choice) => formatPoint(pointOf(choice), others))].flatMap(
    ([elsewhere, group]) => inRows(group).map((row) => decisionOf(rule, row, along, elsewhere)),
  )
}

function pointOf({ spots }: Choice) {
  return spots[0]?.point.point ?? {}
}

/** Neighbours with the same choice, together. */
function inRows(choices: readonly Choice[]): readonly (readonly Choice[])[] {
  const key = ({ best }: Choice) => best.map(({ arm }) => arm.arm).join()
  return choices.reduce<Choice[][]>((rows, choice) => {
    const last = rows.at(-1)
    if (last?.[0] !== undefined && key(last[0]) === key(choice)) last.push(choice)
    else rows.push([choice])
    return rows
  }, [])
}

function decisionOf(
  rule: Rule,
  row: readonly Choice[],
  along: Axis | undefined,
  elsewhere: string,
): Decision {
  const last = row.at(-1)
  if (last === undefined) throw new RangeError('a row of the decision table has a choice')
  const range = along === undefined ? '' : rangeOf(row, along)
  return {
    when: [rule.situation, range, elsewhere].filter((part) => part !== '').join(', '),
    choose: last.best.map(({ arm }) => arm.arm),
    because: reasonOf(last, rule.metric),
    sureness: surenessOf(last, rule.metric),
  }
}

/** `writers 4 to 16` */
function rangeOf(row: readonly Choice[], axis: Axis): string {
  const values = row.flatMap(({ spots }) => {
    const [spot] = spots
    const value = spot === undefined ? null : numberAt(spot.point, axis.name)
    return value === null ? [] : [value]
  })
  const ends = [...new Set([values[0], values.at(-1)])].filter((value) => value !== undefined)
  return `${formatMetricName(axis.name)} ${ends.map((value) => formatAxisValue(value, axis)).join(' to ')}`
}

/** The leader, and all that the repetitions don't place behind it. A single repetition places everybody. */
function bestAmong(spots: readonly Spot[], metric: string): readonly Spot[] {
  const [leader, ...others] = spots
  if (leader === undefined) return []
  const close = others.filter(({ arm }) => {
    const lead = advantageOf(leader.arm, arm, metric)
    return lead !== null && lead.n > 1 && !isDecided(lead)
  })
  return [leader, ...close]
}

/** The figure of the choice, and of the next arm and the best of the other format where they are others. */
function reasonOf({ spots, best }: Choice, metric: string): Statement {
  const [leader] = spots
  if (leader === undefined) throw new RangeError('a choice has an arm')
  const next = spots.find((spot) => !best.includes(spot))
  const rival = spots.find(({ arm }) => arm.format !== leader.arm.format)
  const behind = [...new Set([next, rival])].filter((spot) => spot !== undefined)
  const reason = joined(
    [
      ...best.map((spot) => state`${spot.arm.arm} ${median(spot, metric)}`),
      ...behind
        .filter((spot) => !best.includes(spot))
        .map((spot) => state`${spot.arm.arm} ${median(spot, metric)} (${timesOf(spot, leader, metric)})`),
    ],
    ', ',
  )
  return state`${formatMetricName(metric)}: ${reason ?? median(leader, metric)}`
}

function surenessOf({ spots, best }: Choice, metric: string): string {
  const [leader] = spots
  const next = spots.find((spot) => !best.includes(spot))
  if (leader === undefined || next === undefined) {
    return best.length > 1
      ? `the repetitions don't tell ${enumerate(best.map(({ arm }) => arm.arm))} apart`
      : 'no other arm passed'
  }
  const bracket = next.arm.figures.get('greatestFailedCapBytes')
  if (metric === 'leastCapBytes' && bracket !== undefined)
    return bracket.interval.median >= valueAt(leader, metric)
      ? 'what failed of the next arm is above what passed of this one'
      : 'the searches overlap'
  const lead = advantageOf(leader.arm, next.arm, metric)
  return lead === null ? 'no pairs' : certainty(lead)
}
