import { plainText } from './plain-text.ts'
import type { Results } from './schema.ts'
import type { ScenarioSummary } from './summary.ts'
import { summarize } from './summary.ts'
import { comparisonTable } from './tables/comparison.ts'
import { gridTable } from './tables/grid.ts'
import type { Table } from './tables/table.ts'
import { type ConsoleOptions, drawTable, paint, widthOf, wrap } from './terminal.ts'

/** The table and the sentences that end a run: who wins, by how much, how sure, and what to doubt. */
export function renderConsole(results: Results, options: ConsoleOptions): string {
  const summary = summarize(results)
  const warnings = summary.warnings.map(({ message, remedy }) =>
    wrap(`${paint('yellow', '!', options)} ${plainText(`${message} ${remedy}`)}`, options.width, '  '),
  )
  return [
    ...summary.scenarios.map((scenario) => renderScenario(scenario, options)),
    ...(warnings.length === 0 ? [] : [warnings.join('\n')]),
  ].join('\n\n')
}

function renderScenario(summary: ScenarioSummary, options: ConsoleOptions): string {
  const { name, scenario, verdict } = summary
  return [
    paint('bold', plainText(name), options),
    wrap(plainText(scenario.question), options.width, ''),
    drawTable(overviewOf(summary, options.width), options),
    paint('bold', wrap(plainText(verdict.headline), options.width, ''), options),
    ...verdict.details.map((detail) => wrap(`· ${plainText(detail)}`, options.width, '  ')),
  ].join('\n')
}

/** One line a point where the terminal has room for all arms beside one another, else one line a point and arm. */
function overviewOf(summary: ScenarioSummary, width: number): Table {
  const grid = gridTable(summary)
  if (grid !== null && widthOf(grid.columns, grid) <= width) return grid
  return comparisonTable(summary)
}
