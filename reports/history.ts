/** What changed over dated runs, and between which commits. */
import { differencesBetween } from './compare/comparable.ts'
import { changePoints } from './history/change-points.ts'
import { type HistoryPoint, type HistorySeries, seriesOf } from './history/series.ts'
import type { Results } from './schema.ts'
import { median } from './statistics/quantile.ts'

export interface HistoryOptions {
  /** Of metrics, in which `*` stands for any text; empty for the usual ones. */
  readonly patterns: readonly string[]
  /** Whether runs of other machines, fixtures and settings than the newest count, too. */
  readonly mixed: boolean
  readonly significance: number
  readonly permutations: number
  /** Anew for each series, so that its change points don't depend on the other series. */
  readonly random: () => () => number
}

/** A new level of a series. */
export interface Change {
  readonly series: HistorySeries
  readonly direction: 'better' | 'worse' | 'other'
  /** Medians of the runs since the change before it, and of those until the one after it. */
  readonly before: number
  readonly after: number
  /** `after` by `before`; null from or to zero. */
  readonly ratio: number | null
  /** The last run of the old level, and the first of the new one: the change lies between their commits. */
  readonly last: HistoryPoint
  readonly first: HistoryPoint
}

export interface History {
  /** In the order of time. */
  readonly runs: readonly Results[]
  readonly series: readonly HistorySeries[]
  /** The newest first. */
  readonly changes: readonly Change[]
  /** Runs that were left out, each with in what it differs from the newest. */
  readonly leftOut: readonly { readonly runId: string; readonly differences: readonly string[] }[]
}

export function historyOf(given: readonly Results[], options: HistoryOptions): History {
  const all = onceEach(given).toSorted((a, b) => a.run.startedAt.localeCompare(b.run.startedAt))
  const newest = all.at(-1)
  const leftOut = all.flatMap((results) => {
    const differences =
      newest === undefined || options.mixed ? [] : differencesBetween(results, newest).conditions
    return differences.length === 0 ? [] : [{ runId: results.run.id, differences }]
  })
  const runs = all.filter(({ run }) => !leftOut.some(({ runId }) => runId === run.id))
  const series = seriesOf(runs, options.patterns)
  const changes = series.flatMap((one) => changesOf(one, options))
  return {
    runs,
    series,
    leftOut,
    changes: changes.toSorted((a, b) => b.first.startedAt.localeCompare(a.first.startedAt)),
  }
}

function onceEach(runs: readonly Results[]): readonly Results[] {
  return [...new Map(runs.map((results) => [results.run.id, results])).values()]
}

function changesOf(series: HistorySeries, options: HistoryOptions): readonly Change[] {
  const { points } = series
  const values = points.map(({ value }) => value)
  const at = changePoints(comparable(values), { ...options, random: options.random() })
  const bounds = [0, ...at, values.length]
  return at.flatMap((start, index) => {
    const [last, first] = [points[start - 1], points[start]]
    if (last === undefined || first === undefined) return []
    const before = median(values.slice(bounds[index], start))
    const after = median(values.slice(start, bounds[index + 2]))
    const ratio = before > 0 && after > 0 ? after / before : null
    return [{ series, direction: directionOf(series, before, after), before, after, ratio, last, first }]
  })
}

/** Figures change by factors, so that distances are those of logarithms; counts that may be zero stay as they are. */
function comparable(values: readonly number[]): readonly number[] {
  return values.every((value) => value > 0) ? values.map(Math.log) : values
}

function directionOf({ better }: HistorySeries, before: number, after: number): Change['direction'] {
  if (better === 'neither' || after === before) return 'other'
  return after < before === (better === 'lower') ? 'better' : 'worse'
}
