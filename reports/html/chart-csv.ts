import { renderCsv } from '../export/csv.ts'
import type { Chart } from './chart.ts'

/** What a chart plots, in its unit, one value a line. */
export function chartCsv(chart: Chart): string {
  if (chart.kind === 'lines') {
    const rows = chart.lines.flatMap(({ arm, points }) => points.map(([x, y]) => [arm, x, y]))
    return renderCsv([['arm', chart.xAxis, chart.yAxis], ...rows])
  }
  const rows = chart.series.flatMap((series) =>
    series.kind === 'bars'
      ? series.values.flatMap((value, index) =>
          value === null ? [] : [[chart.arms[index] ?? '', series.label, value]],
        )
      : series.points.map(({ arm, value }) => [arm, series.label, value]),
  )
  return renderCsv([['arm', 'what', chart.axis], ...rows])
}
