import { renderCsv } from '../export/csv.ts'
import type { Chart, LinesChart } from './chart.ts'

/** What a chart plots, in its unit, one value a line. */
export function chartCsv(chart: Chart): string {
  if (chart.kind === 'lines') return linesCsv(chart)
  const rows = chart.series.flatMap((series) =>
    series.kind === 'bars'
      ? series.values.flatMap((value, index) =>
          value === null ? [] : [[chart.arms[index] ?? '', series.label, value]],
        )
      : series.points.map(({ arm, value }) => [arm, series.label, value]),
  )
  return renderCsv([['arm', 'what', chart.axis], ...rows])
}

function linesCsv({ lines, flags = [], dated, xAxis, yAxis }: LinesChart): string {
  const place = (x: number) => (dated === true ? new Date(x).toISOString() : x)
  return renderCsv([
    ['arm', xAxis, yAxis, 'note'],
    ...lines.flatMap(({ arm, points }) => points.map(([x, y]) => [arm, place(x), y, ''])),
    ...flags.flatMap(({ kind, arm, points }) =>
      points.map(({ x, y, note }) => [arm, place(x), y ?? '', `${kind} ${note}`]),
    ),
  ])
}
