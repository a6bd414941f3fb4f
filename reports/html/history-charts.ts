import { capitalize, formatMetricName, formatValue } from '../format.ts'
import type { HistorySeries } from '../history/series.ts'
import { describeChange } from '../history/words.ts'
import type { Change, History } from '../history.ts'
import { armColor, type Flags, isWide, type LinesChart, plotUnit } from './chart.ts'

/** The charts of one point of a scenario. */
export interface HistoryGroup {
  readonly scenario: string
  readonly at: string
  readonly charts: readonly LinesChart[]
}

/** A chart of each metric over time, one line an arm, with a mark at the first run of each new level. */
export function historyCharts({ series, changes }: History): readonly HistoryGroup[] {
  const places = Map.groupBy(series, ({ scenario, at }) => JSON.stringify([scenario, at]))
  return [...places.values()].flatMap((own, place) => {
    const [first] = own
    if (first === undefined) return []
    const metrics = Map.groupBy(own, ({ metric }) => metric)
    const charts = [...metrics.values()].flatMap((arms, index) =>
      historyChart(`history-${place}-${index}`, arms, changes),
    )
    return [{ scenario: first.scenario, at: first.at, charts }]
  })
}

function historyChart(
  id: string,
  arms: readonly HistorySeries[],
  changes: readonly Change[],
): readonly LinesChart[] {
  const [first] = arms
  if (first === undefined) return []
  const { scenario, at, metric, unit, better } = first
  const { name, divisor } = plotUnit(unit)
  const names = arms.map(({ arm }) => arm)
  const title = `${capitalize(formatMetricName(metric))} of ${scenario}${at === '' ? '' : `, ${at}`}`
  const values = arms.flatMap(({ points }) => points.map(({ value }) => value))
  const hint = better === 'neither' ? '' : ` (${better === 'higher' ? 'more' : 'less'} is better)`
  return [
    {
      kind: 'lines',
      id,
      title,
      description: `${title}, run after run: ${arms.map(describe).join('; ')}.`,
      xAxis: 'when the run began, in UTC',
      yAxis: `${name}${hint}`,
      logarithmic: { x: false, y: isWide(values) },
      dated: true,
      along: { axis: null, elsewhere: at },
      lines: arms.map(({ arm, points }) => ({
        arm,
        label: arm,
        color: armColor(arm, names),
        points: points.map(({ startedAt, value }) => [Date.parse(startedAt), value / divisor] as const),
      })),
      flags: changes.flatMap((change) => (arms.includes(change.series) ? [flagOf(change, divisor)] : [])),
    },
  ]
}

const COLORS = { better: '--good', worse: '--bad', other: '--muted' } as const

function flagOf(change: Change, divisor: number): Flags {
  const { series, direction, first } = change
  const place = { x: Date.parse(first.startedAt), y: first.value / divisor }
  return {
    kind: direction === 'other' ? 'changed' : direction,
    arm: series.arm,
    color: COLORS[direction],
    points: [{ ...place, note: describeChange(change), at: series.at }],
  }
}

function describe({ arm, points, unit }: HistorySeries): string {
  const [first, last] = [points[0], points.at(-1)]
  const ends = [first, last].map((point) => formatValue(point?.value ?? 0, unit))
  return `${arm} ${[...new Set(ends)].join(' at first, ')} in the last of ${points.length}`
}
