import { describeSpan } from '../history/words.ts'
import type { History } from '../history.ts'
import { renderCharts } from './figures.ts'
import type { HistoryGroup } from './history-charts.ts'
import { escapeHtml, renderList } from './markup.ts'

/** What the runs up to this one say: each metric over time, and the runs that could not be held against it. */
export function renderHistorySection(history: History, groups: readonly HistoryGroup[]): string {
  const left = history.leftOut.map(
    ({ runId, differences }) => `Left out ${runId}: ${differences.slice(0, 3).join('; ')}.`,
  )
  return `<section id="history">
<h2>Run after run</h2>
<p>${escapeHtml(describeSpan(history))}</p>
${renderList(left)}
${groups.map((group) => renderGroup(group, groups.length === 1)).join('\n')}
</section>`
}

function renderGroup({ scenario, at, charts }: HistoryGroup, open: boolean): string {
  const marks = `data-scenario="${escapeHtml(scenario)}"${at === '' ? '' : ` data-at="${escapeHtml(at)}"`}`
  const name = at === '' ? scenario : `${scenario}, ${at}`
  return `<details ${marks}${open ? ' open' : ''}><summary>${escapeHtml(name)}</summary>
${renderCharts(charts)}</details>`
}
