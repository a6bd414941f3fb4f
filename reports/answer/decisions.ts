/** The decision table: which arm to choose where, from what was measured at each point. */
import { enumerate, formatAxisValue, formatMetricName, formatPoint } from '../format.ts'
import type { Axis } from '../schema.ts'
import { advantageOf, certainty, isDecided } from '../summary/comparison.ts'
import type { PointSummary } from '../summary/points.ts'
import type { ScenarioSummary } from '../summary.ts'
import { type Table, text } from '../tables/table.ts'
import { type Evidence, numberAt, ranked, type Spot } from './evidence.ts'
import { joined, median, type Statement, state, timesOf, valueAt } from './statement.ts'

interface Rule {
  readonly scenario: string
  /** Points that follow one another on this axis and have the same choice are one row. */
  readonly axis: string
  readonly situation: string
  /** Axes whose values are chosen like the arm, where the others are what a user has to live with. */
  readonly chosen?: readonly string[]
}

const RULES: readonly Rule[] = [
  {
    scenario: 'concurrency',
    axis: 'writers',
    situation: 'several writers commit at once',
    chosen: ['coordination', 'retry'],
  },
  {
    scenario: 'merge-partitions',
    axis: 'partitions',
    situation: 'a small batch touches every partition',
  },
  { scenario: 'memory-cap', axis: 'tableSize', situation: 'memory is scarce' },
  { scenario: 'wide-json', axis: 'rowBytes', situation: 'rows are wide' },
  {
    scenario: 'small-commits',
    axis: 'rowsPerCommit',
    situation: 'commits are small and many',
  },
  {
    scenario: 'longevity',
    axis: 'merges',
    situation: 'a table is merged into again and again',
  },
  {
    scenario: 'read-back',
    axis: 'merges',
    situation: 'readers scan the table between merges and maintenance',
  },
  { scenario: 'catalog-faults', axis: 'durationMs', situation: 'servers fail' },
  {
    scenario: 'stripe-paging',
    axis: 'kills',
    situation: 'an import that pages an API is killed',
    chosen: ['afterKill'],
  },
  {
    scenario: 'deployment',
    axis: 'graceSeconds',
    situation: 'a rollout meets an import',
    chosen: ['rollout'],
  },
  { scenario: 'nested', axis: 'invoices', situation: 'child rows need their parents', chosen: ['parents'] },
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
    const metric = summary?.metric ?? null
    return summary === undefined || metric === null ? [] : decisionsOf({ ...rule, metric }, summary)
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

/** An arm, and the value of what is chosen with it. */
interface Option extends Spot {
  readonly name: string
}

/** All that can be chosen in one place, the best first, and what is best. */
interface Choice {
  readonly options: readonly Option[]
  readonly best: readonly Option[]
}

/** With the metric that decides. */
interface Deciding extends Rule {
  readonly metric: string
}

function decisionsOf(rule: Deciding, { scenario: { axes }, points }: ScenarioSummary): readonly Decision[] {
  const along = axes.find(({ name }) => name === rule.axis)
  const chosen = axes.filter(({ name }) => rule.chosen?.includes(name) === true)
  const given = axes.filter((axis) => axis !== along && !chosen.includes(axis))
  const places = Map.groupBy(points, ({ point }) =>
    formatPoint(
      point,
      axes.filter((axis) => !chosen.includes(axis)),
    ),
  )
  const choices = [...places.values()].flatMap((place) => choiceAt(rule, place, chosen) ?? [])
  const groups = Map.groupBy(choices, ({ options: [option] }) =>
    formatPoint(option?.point.point ?? {}, given),
  )
  return [...groups].flatMap(([elsewhere, group]) =>
    inRows(group).map((row) => decisionOf(rule, row, along, elsewhere)),
  )
}

/** Null where no arm passed. */
function choiceAt(rule: Deciding, place: readonly PointSummary[], chosen: readonly Axis[]): Choice | null {
  const options = place
    .flatMap((point) => ranked(rule.scenario, point, rule.metric))
    .map((spot) => ({ ...spot, name: nameOf(spot, chosen) }))
    .toSorted((a, b) => badness(a, rule.metric) - badness(b, rule.metric))
  return options.length === 0 ? null : { options, best: bestAmong(options, rule.metric) }
}

/** `ducklake/merge (coordination group)` */
function nameOf({ arm, point: { point } }: Spot, chosen: readonly Axis[]): string {
  const values = formatPoint(point, chosen)
  return values === '' ? arm.arm : `${arm.arm} (${values})`
}

function badness(spot: Spot, metric: string): number {
  const value = valueAt(spot, metric)
  return spot.arm.figures.get(metric)?.better === 'higher' ? -value : value
}

/** Neighbours with the same choice, together. */
function inRows(choices: readonly Choice[]): readonly (readonly Choice[])[] {
  const key = ({ best }: Choice) => best.map(({ name }) => name).join()
  return choices.reduce<Choice[][]>((rows, choice) => {
    const last = rows.at(-1)
    if (last?.[0] !== undefined && key(last[0]) === key(choice)) last.push(choice)
    else rows.push([choice])
    return rows
  }, [])
}

function decisionOf(
  rule: Deciding,
  row: readonly Choice[],
  along: Axis | undefined,
  elsewhere: string,
): Decision {
  const last = row.at(-1)
  if (last === undefined) throw new RangeError('a row of the decision table has a choice')
  const range = along === undefined ? '' : rangeOf(row, along)
  return {
    when: [rule.situation, range, elsewhere].filter((part) => part !== '').join(', '),
    choose: last.best.map(({ name }) => name),
    because: reasonOf(last, rule.metric),
    sureness: surenessOf(last, rule.metric),
  }
}

/** `writers 4 to 16` */
function rangeOf(row: readonly Choice[], axis: Axis): string {
  const values = row.flatMap(({ options: [option] }) => {
    const value = option === undefined ? null : numberAt(option.point, axis.name)
    return value === null ? [] : [value]
  })
  const ends = [...new Set([values[0], values.at(-1)])].filter((value) => value !== undefined)
  return `${formatMetricName(axis.name)} ${ends.map((value) => formatAxisValue(value, axis)).join(' to ')}`
}

/** The leader, and all that the repetitions don't place behind it. A single repetition places everybody. */
function bestAmong(options: readonly Option[], metric: string): readonly Option[] {
  const [leader, ...others] = options
  if (leader === undefined) return []
  const close = others.filter(({ arm }) => {
    const lead = advantageOf(leader.arm, arm, metric)
    return lead !== null && lead.n > 1 && !isDecided(lead)
  })
  return [leader, ...close]
}

/** The figure of the choice, and of the next arm and the best of the other format where they are others. */
function reasonOf({ options, best }: Choice, metric: string): Statement {
  const [leader] = options
  if (leader === undefined) throw new RangeError('a choice has an arm')
  const next = options.find((option) => !best.includes(option))
  const rival = options.find(({ arm }) => arm.format !== leader.arm.format)
  const behind = [...new Set([next, rival])].filter((option) => option !== undefined)
  const reason = joined(
    [
      ...best.map((spot) => state`${spot.name} ${median(spot, metric)}`),
      ...behind
        .filter((spot) => !best.includes(spot))
        .map((spot) => state`${spot.name} ${median(spot, metric)} (${timesOf(spot, leader, metric)})`),
    ],
    ', ',
  )
  return state`${formatMetricName(metric)}: ${reason ?? median(leader, metric)}`
}

function surenessOf({ options, best }: Choice, metric: string): string {
  const [leader] = options
  const next = options.find((option) => !best.includes(option))
  if (leader === undefined || next === undefined) {
    return best.length > 1
      ? `the repetitions don't tell ${enumerate(best.map(({ name }) => name))} apart`
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
