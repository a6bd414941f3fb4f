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

/** With a column for what befell the arms, where something did. */
function linesCsv({ lines, flags = [], dated, xAxis, yAxis }: LinesChart): string {
  const place = (x: number) => (dated === true ? new Date(x).toISOString() : x)
  const points = lines.flatMap((line) => line.points.map(([x, y]) => [line.arm, place(x), y]))
  const head = ['arm', xAxis, yAxis]
  if (flags.length === 0) return renderCsv([head, ...points])
  const flagged = flags.flatMap(({ kind, arm, points: places }) =>
    places.map(({ x, y, note }) => [arm, place(x), y ?? '', `${kind} ${note}`]),
  )
  return renderCsv([[...head, 'note'], ...points.map((point) => [...point, '']), ...flagged])
}
