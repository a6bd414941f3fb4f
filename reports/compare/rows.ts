/** A comparison as the text that terminal and Markdown share. */

import type { Comparison } from '../compare.ts'
import {
  capitalize,
  formatCount,
  formatMetricName,
  formatPercent,
  formatRatio,
  formatRatioRange,
  formatValue,
  plural,
} from '../format.ts'
import { figure, NONE, type Table, text } from '../tables/table.ts'
import type { Judgement, Verdict } from './judgement.ts'
import { describeGroup } from './pairs.ts'

/** What a reader has to see, the gravest first; what is the same is counted only. */
const GRAVITY: readonly Verdict[] = ['worse', 'inconclusive', 'better', 'same']

const HEADLINES: Readonly<Record<Comparison['verdict'], string>> = {
  pass: 'Passed: nothing got worse',
  regression: 'Regression',
  'wrong-data': 'Wrong data',
  inconclusive: 'Inconclusive: the figures do not settle whether something got worse',
}

/** `Regression: 2 metrics are worse (ducklake/merge: apply wall 1.24×).` */
export function headlineOf({ verdict, outcomes, judgements }: Comparison): string {
  const wrong = outcomes.filter((outcome) => outcome.verdict === 'wrong-data')
  const failed = outcomes.filter((outcome) => outcome.verdict === 'worse')
  const worse = judgements.filter((judgement) => judgement.verdict === 'worse')
  const named = [
    ...[...wrong, ...failed].map((outcome) => `${describeGroup(outcome)}: ${outcome.reason}`),
    ...worse
      .toSorted((a, b) => harm(b) - harm(a))
      .map((one) => `${one.arm}: ${formatMetricName(one.metric)} ${ratioText(one)}`),
  ]
  if (named.length === 0) return `${HEADLINES[verdict]}.`
  const more = named.length > 3 ? `, and ${formatCount(named.length - 3)} more` : ''
  return `${HEADLINES[verdict]}: ${named.slice(0, 3).join('; ')}${more}.`
}

/** What to know before believing a figure. */
export function notesOn({
  interleaved,
  differences,
  family,
  familyLevel,
  judgements,
}: Comparison): readonly string[] {
  const open = judgements.filter(({ verdict }) => verdict === 'inconclusive')
  return [
    ...differences.subject.map((difference) => `Compared: ${difference}.`),
    ...differences.conditions.map((difference) => `Not alike: ${difference}.`),
    ...(interleaved
      ? []
      : [
          'The files were not measured turn by turn, so a machine that was slower for one of them looks like a change: times and rates count as changed from a factor of 2, CPU from 1.5.',
        ]),
    `${plural(family, 'noisy metric')} judged together; the chance of one false alarm among them is ${formatPercent(familyLevel)} at most.`,
    ...(open.length === 0
      ? []
      : [
          `${plural(open.length, 'metric')} ${open.length === 1 ? 'is' : 'are'} inconclusive: ${needed(open)}.`,
        ]),
  ]
}

function needed(open: readonly Judgement[]): string {
  const most = open.map(({ morePairs }) => morePairs)
  const known = most.filter((pairs) => pairs !== null)
  const largest = Math.max(0, ...known)
  if (known.length < most.length)
    return 'some scatter so much that a thousand more pairs would not settle them'
  return `about ${plural(largest, 'more pair')} would settle them all`
}

/** The judgements of one arm at one point, those that aren't the same, or all. */
export function groupTables(judgements: readonly Judgement[], all: boolean): readonly Table[] {
  const groups = Map.groupBy(judgements, describeGroup)
  return [...groups].map(([title, own]) => ({
    title: capitalize(title),
    columns: COLUMNS,
    rows: own
      .filter(({ verdict }) => all || verdict !== 'same')
      .toSorted((a, b) => GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict) || harm(b) - harm(a))
      .map(rowOf),
  }))
}

const COLUMNS: Table['columns'] = [
  text('metric'),
  figure('baseline'),
  figure('candidate'),
  figure('ratio'),
  figure('interval'),
  { ...figure('could see'), dispensable: 1 },
  { ...figure('pairs'), dispensable: 2 },
  text('verdict'),
  figure('needs more'),
]

function rowOf(judgement: Judgement): readonly string[] {
  const { metric, unit, baseline, candidate, low, high, smallestEffect, pairs, rule } = judgement
  return [
    formatMetricName(metric),
    formatValue(baseline, unit),
    formatValue(candidate, unit),
    ratioText(judgement),
    rule === 'exact' ? 'exact' : low === null || high === null ? NONE : formatRatioRange(low, high),
    smallestEffect === null ? NONE : formatPercent(smallestEffect),
    formatCount(pairs),
    judgement.verdict,
    needsOf(judgement),
  ]
}

/** A judgement as a clause: `apply wall: 1.01 s before, 1.29 s now, 1.30× (1.25–1.35×, tolerance 5 %)`. */
export function describeChange(judgement: Judgement): string {
  const { metric, unit, baseline, candidate, low, high, rule, tolerance, verdict } = judgement
  const values = `${formatValue(baseline, unit)} before, ${formatValue(candidate, unit)} now`
  const range = rule === 'exact' || low === null || high === null ? '' : `${formatRatioRange(low, high)}, `
  const needs = verdict === 'inconclusive' ? `; needs ${needsOf(judgement)} more` : ''
  return `${formatMetricName(metric)}: ${values}, ${ratioText(judgement)} (${range}tolerance ${formatPercent(tolerance)}${needs})`
}

/** How many more pairs settle an inconclusive judgement. */
function needsOf({ verdict, morePairs }: Judgement): string {
  if (verdict !== 'inconclusive') return NONE
  return morePairs === null ? '> 1,000 pairs' : `≈ ${plural(morePairs, 'pair')}`
}

/** `31 same, 2 worse` */
export function tally(judgements: readonly Judgement[]): string {
  const counts = Map.groupBy(judgements, ({ verdict }) => verdict)
  return GRAVITY.flatMap((verdict) => {
    const own = counts.get(verdict)
    return own === undefined ? [] : [`${formatCount(own.length)} ${verdict}`]
  }).join(', ')
}

function ratioText({ ratio, rule, baseline, candidate }: Judgement): string {
  if (ratio === null) return NONE
  // 707 against 708 requests would print as 1.00×.
  if (rule === 'exact' && candidate !== baseline)
    return `${candidate > baseline ? '+' : '−'}${formatCount(Math.abs(candidate - baseline))}`
  return formatRatio(ratio)
}

/** By how much something got worse, as a logarithm. */
function harm({ ratio, better }: Judgement): number {
  return ratio === null ? 0 : Math.log(ratio) * (better === 'higher' ? -1 : 1)
}
