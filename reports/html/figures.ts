import type { Chart } from './chart.ts'
import { chartCsv } from './chart-csv.ts'
import { escapeHtml } from './markup.ts'

/** Charts side by side, each with its data and, in words, what it can't show. */
export function renderCharts(charts: readonly Chart[]): string {
  return charts.length === 0 ? '' : `<div class="charts">\n${charts.map(renderChart).join('\n')}\n</div>`
}

function renderChart(chart: Chart): string {
  const { id, title, description } = chart
  const elsewhere = chart.kind === 'lines' ? (chart.along?.elsewhere ?? '') : ''
  return `<figure${elsewhere === '' ? '' : ` data-at="${escapeHtml(elsewhere)}"`}>
<h3>${escapeHtml(title)}</h3>
<div class="plot" style="height: ${heightPx(chart)}px"><canvas id="${escapeHtml(id)}" role="img" aria-label="${escapeHtml(description)}">${escapeHtml(description)}</canvas></div>
${renderAbsent(chart)}${renderFlags(chart)}<figcaption><a download="${escapeHtml(id)}.csv" href="data:text/csv;charset=utf-8,${encodeURIComponent(chartCsv(chart).toWellFormed())}">Data of this chart (CSV)</a></figcaption>
</figure>`
}

/** Arms that a chart of lines can't show. */
function renderAbsent(chart: Chart): string {
  const absent = chart.kind === 'lines' ? (chart.absent ?? []) : []
  return absent.length === 0
    ? ''
    : `<p class="absent">Without a mark: ${escapeHtml(absent.join('; '))}.</p>\n`
}

/** In words what befell the arms, for all that can't be drawn. */
function renderFlags(chart: Chart): string {
  const flags = chart.kind === 'lines' ? (chart.flags ?? []) : []
  if (flags.length === 0) return ''
  const items = flags.flatMap(({ kind, arm, points }) =>
    points.map(({ note, at }) => {
      const marks = `data-arm="${escapeHtml(arm)}" data-at="${escapeHtml(at)}"`
      return `<li ${marks}>${kind === 'failed' ? '✕' : '▲'} ${escapeHtml(`${arm} ${kind} ${note}`)}</li>`
    }),
  )
  return `<ul class="flags">${items.join('\n')}</ul>\n`
}

function heightPx(chart: Chart): number {
  if (chart.kind === 'lines') return 340
  const { arms, series } = chart
  const barsPerArm = series.some(({ kind }) => kind === 'points') ? 1 : Math.min(series.length, 2)
  return 110 + arms.length * (24 + barsPerArm * 12)
}
