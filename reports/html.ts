import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { History } from './history.ts'
import { renderAnswersSection } from './html/answers.ts'
import type { Chart } from './html/chart.ts'
import { chartsOf, type ScenarioCharts } from './html/charts.ts'
import { renderCharts } from './html/figures.ts'
import { FILTER_SCRIPT } from './html/filter-script.ts'
import { placesOf, renderFilters } from './html/filters.ts'
import { renderHistorySection } from './html/history.ts'
import { historyCharts } from './html/history-charts.ts'
import { type Live, policyOf, renderLive } from './html/live.ts'
import { escapeHtml, renderList, renderTable } from './html/markup.ts'
import { PAGE_SCRIPT } from './html/script.ts'
import { PAGE_STYLE } from './html/style.ts'
import type { Results } from './schema.ts'
import type { PointSummary } from './summary/points.ts'
import type { ScenarioSummary, Summary } from './summary.ts'
import { summarize } from './summary.ts'
import { cellsTable, phasesTable } from './tables/cells.ts'
import { certaintyTable } from './tables/certainty.ts'
import { comparisonTable } from './tables/comparison.ts'
import { gridTable, scalingTable } from './tables/grid.ts'
import { environmentTable, scenarioTable, settingsTable } from './tables/setting.ts'

/**
 * The whole report as one page that needs no network: styles, scripts, Chart.js and the results are within it.
 * @param live of a page that follows its run; null for one that stays as it is
 * @param history of the runs up to this one; null where there is but this one
 */
export function renderHtml(
  results: Results,
  { live = null, history = null }: { readonly live?: Live | null; readonly history?: History | null } = {},
): string {
  const summary = summarize(results)
  const charts = summary.scenarios.map(chartsOf)
  const tradeOffs = charts.flatMap(({ tradeOff }) => tradeOff ?? [])
  const dated = history === null ? [] : historyCharts(history)
  const drawn = [
    ...tradeOffs,
    ...charts.flatMap(({ overview, points }) => [...overview, ...points.flat()]),
    ...dated.flatMap((group) => group.charts),
  ]
  return `<!doctype html>
<html lang="en">
${renderMeta(results, live)}
<body>
<main>
${live === null ? '' : renderLive(live)}
${renderHead(results)}
${renderFilters(summary)}
${renderAnswersSection(results)}
${summary.scenarios.map(renderVerdict).join('\n')}
${renderTradeOffs(tradeOffs)}
${summary.scenarios.map((scenario, index) => renderScenario(scenario, charts[index])).join('\n')}
${history === null ? '' : renderHistorySection(history, dated)}
${renderFoot(results, summary)}
</main>
<script type="application/json" id="results">${embedJson(results)}</script>
<script type="application/json" id="charts">${embedJson(drawn)}</script>
<script>${embedScript(readChartJs())}</script>
<script type="application/json" id="places">${embedJson(placesOf(summary))}</script>
<script>${embedScript(`${PAGE_SCRIPT}${FILTER_SCRIPT}`)}</script>
</body>
</html>
`
}

function renderMeta({ run }: Results, live: Live | null): string {
  return `<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policyOf(live)}">
<title>lakeduel: ${escapeHtml(run.plan.profile)} run of ${escapeHtml(run.startedAt.slice(0, 10))}</title>
<style>${PAGE_STYLE}</style>
</head>`
}

function renderHead({ run, environment }: Results): string {
  const facts = [
    `${run.plan.profile} profile`,
    run.startedAt.slice(0, 16).replace('T', ' '),
    environment.cpuModel,
    `${environment.cores} cores`,
  ]
  return `<header>
<h1>Delta Lake or DuckLake?</h1>
<p class="meta">${escapeHtml(facts.join(' · '))}</p>
</header>`
}

function renderVerdict({ name, verdict }: ScenarioSummary): string {
  const format = verdict.winner?.split('/')[0] ?? ''
  return `<section class="verdict ${escapeHtml(format)}" data-scenario="${escapeHtml(name)}">
<h2>${escapeHtml(name)}</h2>
<p>${escapeHtml(verdict.headline)}</p>
${renderList(verdict.details)}
</section>`
}

/** The picture of the choice: what is faster, what takes less memory. */
function renderTradeOffs(charts: readonly Chart[]): string {
  if (charts.length === 0) return ''
  return `<section id="trade-off" class="wide">
<h2>What speed costs in memory</h2>
${renderCharts(charts)}
</section>`
}

function renderScenario(summary: ScenarioSummary, charts: ScenarioCharts | undefined): string {
  const { scenario, name, scalings } = summary
  const grid = gridTable(summary)
  return `<section data-scenario="${escapeHtml(name)}">
<h2>${escapeHtml(name)}</h2>
<p class="question">${escapeHtml(scenario.question)}</p>
${renderCharts(charts?.overview ?? [])}
${grid === null ? '' : renderTable(grid, 'plain')}
${scalings.map((scaling) => renderTable(scalingTable(scaling), 'folded')).join('\n')}
${summary.points.map((point, index) => renderPoint(point, charts?.points[index] ?? [])).join('\n')}
${renderTable(comparisonTable(summary), grid === null ? 'plain' : 'folded')}
${renderTable(certaintyTable(summary), 'folded')}
${renderTable(scenarioTable(scenario), 'folded')}
${renderTable(cellsTable(summary), 'folded')}
${renderTable(phasesTable(summary), 'folded')}
${renderTable(settingsTable(summary), 'folded')}
</section>`
}

/** The charts of one of many points, drawn when they are opened. */
function renderPoint({ label, verdict }: PointSummary, charts: readonly Chart[]): string {
  if (charts.length === 0) return ''
  return `<details class="point" data-at="${escapeHtml(label)}"><summary>${escapeHtml(label)}</summary>
<p>${escapeHtml(verdict.headline)}</p>
${renderCharts(charts)}</details>`
}

function renderFoot(results: Results, { warnings, unmeasured }: Summary): string {
  const doubts = warnings.map(
    ({ message, remedy }) => `<li>${escapeHtml(message)} <span>${escapeHtml(remedy)}</span></li>`,
  )
  return `<section>
<h2>What makes these figures doubtful</h2>
${doubts.length === 0 ? '<p>Nothing was noticed.</p>' : `<ul class="warnings">${doubts.join('\n')}</ul>`}
<h2>What was not measured</h2>
${renderList(unmeasured)}
<h2>How to read it</h2>
${renderList(READING_AIDS)}
<h2>Environment</h2>
${renderTable(environmentTable(results), 'plain')}
<h2>Repeat it</h2>
<pre tabindex="0" role="region" aria-label="The command of this run">${escapeHtml(results.run.command)}</pre>
<button id="save" type="button">Save results.json</button>
</section>`
}

const READING_AIDS = [
  'Bars are medians; each dot is one repetition. Arms take turns, so repetition i of one arm is compared with repetition i of another.',
  '"5× faster" means that the other takes 5 times as long: the median ratio of the pairs, followed by the range that the pairs span.',
  'Peak memory is the floor (Node, interpreter, loaded libraries) and what the engine added to it; the kernel may count more, since page cache belongs to a pod, too.',
  'A growth of x^1 means proportional, x^0 flat: the median of the slopes between all pairs of points on logarithmic axes.',
  'A repetition counts only when a fresh reader found the table right. An arm with any failed repetition is shown, but not ranked.',
]

/** The browser build of Chart.js, from the installed package. Its source map is left out: it would be a request. */
function readChartJs(): string {
  const entry = createRequire(import.meta.url).resolve('chart.js')
  const bundle = readFileSync(new URL('chart.umd.min.js', `file://${entry}`), 'utf8')
  return bundle.replace(/\n?\/\/# sourceMappingURL=.*/, '')
}

/** JSON within HTML: `<` would end the script element or open a comment. */
function embedJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', String.raw`\u003c`)
}

function embedScript(script: string): string {
  return script.replaceAll(/<\/(script)/gi, String.raw`<\/$1`)
}
