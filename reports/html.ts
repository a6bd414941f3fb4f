import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Chart, chartsOf } from './html/charts.ts'
import { escapeHtml, renderList, renderTable } from './html/markup.ts'
import { PAGE_SCRIPT } from './html/script.ts'
import { PAGE_STYLE } from './html/style.ts'
import type { Results } from './schema.ts'
import type { ScenarioSummary, Summary } from './summary.ts'
import { summarize } from './summary.ts'
import {
  cellsTable,
  certaintyTable,
  comparisonTable,
  environmentTable,
  phasesTable,
  scenarioTable,
  settingsTable,
} from './tables.ts'

/** The whole report as one page that needs no network: styles, scripts, Chart.js and the results are within it. */
export function renderHtml(results: Results): string {
  const summary = summarize(results)
  const charts = summary.scenarios.map(({ name, arms }) => chartsOf(name, arms, capOf(results, name)))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>lakeduel: ${escapeHtml(results.run.plan.profile)} run of ${escapeHtml(results.run.startedAt.slice(0, 10))}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
${renderHead(results, summary)}
${summary.scenarios.map((scenario, index) => renderScenario(results, scenario, charts[index] ?? [])).join('\n')}
${renderFoot(results, summary)}
</main>
<script type="application/json" id="results">${embedJson(results)}</script>
<script type="application/json" id="charts">${embedJson(charts.flat())}</script>
<script>${embedScript(readChartJs())}</script>
<script>${embedScript(PAGE_SCRIPT)}</script>
</body>
</html>
`
}

function capOf({ scenarios }: Results, name: string): number | null {
  return scenarios.find((scenario) => scenario.name === name)?.memoryCapBytes ?? null
}

function renderHead({ run, environment }: Results, { scenarios }: Summary): string {
  const facts = [
    `${run.plan.profile} profile`,
    run.startedAt.slice(0, 16).replace('T', ' '),
    environment.cpuModel,
    `${environment.cores} cores`,
  ]
  return `<header>
<h1>Delta Lake or DuckLake?</h1>
<p class="meta">${escapeHtml(facts.join(' · '))}</p>
${scenarios.map(renderVerdict).join('\n')}
</header>`
}

function renderVerdict({ name, arms, verdict }: ScenarioSummary): string {
  const winner = arms.find((arm) => arm.sound && arm.figures !== null)
  return `<section class="verdict ${escapeHtml(winner?.format ?? '')}">
<h2>${escapeHtml(name)}</h2>
<p>${escapeHtml(verdict.headline)}</p>
${renderList(verdict.details)}
</section>`
}

function renderScenario(results: Results, summary: ScenarioSummary, charts: readonly Chart[]): string {
  const { scenario, name, arms } = summary
  const cells = results.cells.filter((cell) => cell.scenario === name)
  return `<section>
<h2>${escapeHtml(name)}</h2>
<p class="question">${escapeHtml(scenario.question)}</p>
<div class="charts">
${charts.map(renderChart).join('\n')}
</div>
${renderTable(comparisonTable(arms), 'plain')}
${renderTable(certaintyTable(arms), 'folded')}
${renderTable(scenarioTable(scenario), 'folded')}
${renderTable(cellsTable(cells), 'folded')}
${renderTable(phasesTable(cells), 'folded')}
${renderTable(settingsTable(arms), 'folded')}
</section>`
}

function renderChart({ id, title, description, arms, series }: Chart): string {
  const barsPerArm = series.some(({ kind }) => kind === 'points') ? 1 : Math.min(series.length, 2)
  const heightPx = 110 + arms.length * (24 + barsPerArm * 12)
  return `<figure>
<h3>${escapeHtml(title)}</h3>
<div class="plot" style="height: ${heightPx}px"><canvas id="${escapeHtml(id)}" role="img" aria-label="${escapeHtml(description)}">${escapeHtml(description)}</canvas></div>
</figure>`
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
<pre>${escapeHtml(results.run.command)}</pre>
<button id="save" type="button">Save results.json</button>
</section>`
}

const READING_AIDS = [
  'Bars are medians; each dot is one repetition. Arms take turns, so repetition i of one arm is compared with repetition i of another.',
  '"5× faster" means that the other takes 5 times as long: the median ratio of the pairs, followed by the range that the pairs span.',
  'Peak memory is the floor (Node, interpreter, loaded libraries) and what the engine added to it; the kernel may count more, since page cache belongs to a pod, too.',
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
