import type { Config } from '../../platform/config/load.ts'
import { availableBytes } from '../../platform/disk.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { formatBytes } from '../../reports/format.ts'
import { type BenchPlan, plannedCells } from '../../scenarios/runner/bench.ts'
import type { Estimate, PlannedCell, Scenario } from '../../scenarios/scenario.ts'

export interface ScenarioEstimate extends Estimate {
  readonly scenario: string
  readonly cells: number
}

/** What a plan needs, scenario by scenario: what its cells share lies there while they run one after another. */
export function estimatesOf(plan: BenchPlan): readonly ScenarioEstimate[] {
  const cells = plannedCells(plan)
  return plan.scenarios.map((scenario) =>
    estimateOf(
      scenario,
      cells.filter((cell) => cell.scenario === scenario),
      plan,
    ),
  )
}

function estimateOf(scenario: Scenario, cells: readonly PlannedCell[], plan: BenchPlan): ScenarioEstimate {
  const { parameters } = scenario.profiles[plan.profile]
  const sharedBy = scenario.sharedBy ?? ((point) => JSON.stringify(point))
  const each = cells.map(({ point, arm }) => ({ point, ...scenario.estimate(point, parameters, arm) }))
  const shared = [...new Map(each.map((estimate) => [sharedBy(estimate.point), estimate.shared])).values()]
  return {
    scenario: scenario.name,
    cells: cells.length,
    wallMs: sum(shared.map(({ wallMs }) => wallMs)) + sum(each.map(({ cell }) => cell.wallMs)),
    memoryBytes: Math.max(
      0,
      ...[...shared, ...each.map(({ cell }) => cell)].map((estimate) => estimate.memoryBytes),
    ),
    diskBytes:
      sum(shared.map(({ diskBytes }) => diskBytes)) + Math.max(0, ...each.map(({ cell }) => cell.diskBytes)),
  }
}

/** @throws LakeduelError `DISK_FULL`, or `USAGE` where the machine has too little memory for a plan */
export async function assertRoom(config: Config, plan: BenchPlan): Promise<void> {
  const estimates = estimatesOf(plan)
  const diskBytes = Math.max(0, ...estimates.map((estimate) => estimate.diskBytes))
  const memoryBytes = Math.max(0, ...estimates.map((estimate) => estimate.memoryBytes))
  const free = await availableBytes(config.home)
  if (free < diskBytes) {
    throw new LakeduelError(
      'DISK_FULL',
      `The profile "${plan.profile}" needs about ${formatBytes(diskBytes)} of disk, and ${formatBytes(free)} are free below ${config.home}.`,
      {
        facts: { needed: diskBytes, available: free },
        remedy: 'Free some space, choose a smaller --profile, or set LAKEDUEL_HOME to another disk.',
      },
    )
  }
  const available = process.availableMemory()
  if (available >= memoryBytes) return
  throw new LakeduelError(
    'USAGE',
    `The profile "${plan.profile}" needs about ${formatBytes(memoryBytes)} of memory at once, and ${formatBytes(available)} are free.`,
    {
      facts: { needed: memoryBytes, available },
      remedy: 'Choose a smaller --profile, fewer values with --axis, or fewer scenarios.',
    },
  )
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
