import type { Arm } from '../../backends/backend.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { makeNarrowTable } from '../../scenarios/import/narrow-table.ts'
import { MeasureServices, measureDatabase } from './services.ts'
import { sync } from './syncing.ts'

export interface OverlapRequest {
  readonly rows: number
  readonly arms: readonly Arm[]
}

export interface OverlapResult {
  readonly arm: Arm
  readonly extractMs: number
  readonly loadMs: number
  readonly togetherMs: number
  /** `togetherMs` by the slower of the two alone. */
  readonly ratio: number
}

const DATABASE = measureDatabase('overlap')

/** What extracting and loading take one after the other, and side by side. */
export async function measureOverlap(
  { rows, arms }: OverlapRequest,
  signal: AbortSignal,
): Promise<readonly OverlapResult[]> {
  await using services = await MeasureServices.start(signal)
  const env = await services.variables(DATABASE)
  await withPostgres({ ...services.postgres, database: DATABASE }, (client) =>
    makeNarrowTable(client, rows, () => undefined),
  )
  const results: OverlapResult[] = []
  for (const arm of arms) {
    const source = [...services.postgresSource(DATABASE), '--table', 'narrow', '--mode', 'full-refresh']
    const batches = ['--batch-rows', '200000', '--max-staged', '8GiB']
    const apart = [...source, '--to', arm, '--as', 'apart', '--partition', 'md5:id:8', ...batches]
    const { wallMs: extractMs } = await sync([...apart, '--no-worker'], env, 'extracted')
    const { wallMs: loadMs } = await sync(apart, env)
    const together = [...source, '--to', arm, '--as', 'together', '--partition', 'md5:id:8', ...batches]
    const { wallMs: togetherMs } = await sync(together, env)
    const result = { arm, extractMs, loadMs, togetherMs, ratio: togetherMs / Math.max(extractMs, loadMs) }
    process.stderr.write(`${JSON.stringify(result)}\n`)
    results.push(result)
  }
  return results
}
