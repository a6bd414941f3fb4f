import type { Arm } from '../../backends/backend.ts'

/** The arms that imports are measured with: one for each format, since how a batch is merged hardly shows in paging and draining. */
const IMPORTERS: ReadonlySet<Arm> = new Set<Arm>(['ducklake/merge', 'delta/deltalite'])

/** Why an arm makes no cell of an import scenario, or null. */
export function onePerFormat(arm: Arm): string | null {
  return IMPORTERS.has(arm) ? null : 'imports are measured with one arm of each format'
}
