import { metricsOf } from '../metrics.ts'
import type { Cell } from '../schema.ts'

/** What ranks the arms of the scenarios whose question isn't how long a batch takes. */
const HEADLINES: Readonly<Record<string, string>> = {
  'memory-cap': 'leastCapBytes',
  concurrency: 'commitsPerSecond',
  'small-commits': 'commitsPerSecond',
  longevity: 'mergeMs',
  'read-back': 'merged-scan.wallMs',
  'catalog-faults': 'recoveryMs',
  'stripe-paging': 'wallMs',
  deployment: 'reservedGibSeconds',
  nested: 'wallMs',
  settings: 'tuned.wallMs',
}
const APPLY = 'apply.wallMs'

/**
 * The metric that ranks the arms of a scenario: its own, else the time to apply where batches are applied, else the first
 * of the cells' own metrics that has a better direction. Null when no cell that passed has one.
 */
export function headlineMetric(scenario: string, cells: readonly Cell[]): string | null {
  const passed = cells.filter((cell) => cell.status === 'ok')
  const measured = (metric: string) => passed.some((cell) => metricsOf(cell).has(metric))
  const known = [HEADLINES[scenario], APPLY].find((metric) => metric !== undefined && measured(metric))
  if (known !== undefined) return known
  const metrics = passed.flatMap((cell) => Object.entries(cell.metrics))
  return metrics.find(([, metric]) => metric.better !== 'neither')?.[0] ?? null
}
