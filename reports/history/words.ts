import { formatRatio, formatValue, plural } from '../format.ts'
import type { Change, History } from '../history.ts'
import type { HistoryPoint } from './series.ts'

const SHORT_COMMIT = 10
const DAY = 10

/** How many runs there are, from when to when, and what they tell. */
export function describeSpan({ runs, series, changes }: History): string {
  const [first, last] = [runs[0], runs.at(-1)]
  return first === undefined || last === undefined
    ? 'There are no runs.'
    : `${plural(runs.length, 'run')} from ${dayOf(first.run)} to ${dayOf(last.run)}, ${series.length} series, ${plural(changes.length, 'change')}.`
}

/** From what to what a series changed, and between which commits. */
export function describeChange({ series, before, after, ratio, last, first }: Change): string {
  const factor = ratio === null ? '' : ` (${formatRatio(ratio)})`
  return `from ${formatValue(before, series.unit)} to ${formatValue(after, series.unit)}${factor}, after the commit ${commitOf(last)}, up to ${commitOf(first)}`
}

export function commitOf({ commit, startedAt }: HistoryPoint): string {
  return `${commit?.slice(0, SHORT_COMMIT) ?? 'unknown'} (${startedAt.slice(0, DAY)})`
}

function dayOf({ startedAt }: { readonly startedAt: string }): string {
  return startedAt.slice(0, DAY)
}
