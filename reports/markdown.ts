import { escapeMarkdown, renderList, renderTable } from './markdown/markup.ts'
import { plainText } from './plain-text.ts'
import type { Results } from './schema.ts'
import type { ScenarioSummary } from './summary.ts'
import { summarize } from './summary.ts'
import { cellsTable, phasesTable } from './tables/cells.ts'
import { certaintyTable } from './tables/certainty.ts'
import { comparisonTable } from './tables/comparison.ts'
import { gridTable, scalingTable } from './tables/grid.ts'
import { environmentTable, scenarioTable, settingsTable } from './tables/setting.ts'

/** The whole report as GitHub-flavoured Markdown. */
export function renderMarkdown(results: Results): string {
  const summary = summarize(results)
  const sections = [
    `# lakeduel: ${escapeMarkdown(results.run.plan.profile)} run of ${results.run.startedAt.slice(0, 10)}`,
    ...summary.scenarios.map(
      (scenario) => `**${escapeMarkdown(scenario.name)}:** ${escapeMarkdown(scenario.verdict.headline)}`,
    ),
    ...summary.scenarios.map((scenario) => renderScenario(scenario)),
    renderTable(environmentTable(results), '##'),
    `## What makes these figures doubtful\n\n${renderList(
      summary.warnings.map(({ message, remedy }) => `${message} ${remedy}`),
      'Nothing was noticed.',
    )}`,
    `## What was not measured\n\n${renderList(summary.unmeasured, 'Nothing.')}`,
    `## Repeat it\n\n    ${plainText(results.run.command)}`,
  ]
  return `${sections.join('\n\n')}\n`
}

function renderScenario(summary: ScenarioSummary): string {
  const { scenario, name, verdict, scalings } = summary
  const grid = gridTable(summary)
  const tables = [
    ...(grid === null ? [] : [grid]),
    ...scalings.map(scalingTable),
    comparisonTable(summary),
    certaintyTable(summary),
    scenarioTable(scenario),
    cellsTable(summary),
    phasesTable(summary),
    settingsTable(summary),
  ]
  return [
    `## ${escapeMarkdown(name)}`,
    escapeMarkdown(scenario.question),
    `**${escapeMarkdown(verdict.headline)}**`,
    ...(verdict.details.length === 0 ? [] : [renderList(verdict.details, '')]),
    ...tables.filter(({ rows }) => rows.length > 0).map((table) => renderTable(table, '###')),
  ].join('\n\n')
}
