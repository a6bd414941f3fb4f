import CliTable from 'cli-table3'
import { formatBytes, formatDuration } from '../../reports/format.ts'
import { type BenchPlan, plannedCells } from '../../scenarios/runner/bench.ts'
import { estimatesOf } from './estimate.ts'

/** What `lakeduel bench --dry-run --json` prints. */
export function dryRun(plan: BenchPlan) {
  return {
    profile: plan.profile,
    estimates: estimatesOf(plan),
    cells: plannedCells(plan).map(({ id, scenario, arm, point, repetition, control }) => ({
      id,
      scenario: scenario.name,
      arm,
      point,
      repetition,
      control,
    })),
  }
}

/** What `lakeduel bench --dry-run` prints: every cell in order, then what a scenario needs. */
export function dryRunText(plan: BenchPlan): string {
  const estimates = estimatesOf(plan)
  const table = new CliTable({
    head: ['scenario', 'cells', 'time', 'memory', 'disk'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  })
  for (const { scenario, cells, wallMs, memoryBytes, diskBytes } of estimates) {
    table.push([scenario, cells, formatDuration(wallMs), formatBytes(memoryBytes), formatBytes(diskBytes)])
  }
  const totalMs = estimates.reduce((total, { wallMs }) => total + wallMs, 0)
  const ids = plannedCells(plan).map(({ id }) => `  ${id}`)
  return [
    ...ids,
    table.toString(),
    `About ${formatDuration(totalMs)} in all, by rule of thumb; nothing was run.`,
  ].join('\n')
}
