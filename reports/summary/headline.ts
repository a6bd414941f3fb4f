import type { Cell } from '../schema.ts'

/**
 * The metric that ranks the arms of a scenario: the time to apply where batches are applied, else the first of the
 * scenario's own metrics that has a better direction. Null when no cell that passed has one.
 */
export function headlineMetric(cells: readonly Cell[]): string | null {
  const passed = cells.filter((cell) => cell.status === 'ok')
  if (passed.some((cell) => 'apply' in cell.phases)) return 'apply.wallMs'
  const metrics = passed.flatMap((cell) => Object.entries(cell.metrics))
  return metrics.find(([, metric]) => metric.better !== 'neither')?.[0] ?? null
}
