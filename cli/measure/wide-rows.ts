import type { Arm } from '../../backends/backend.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { makeWideView } from '../../scenarios/import/narrow-table.ts'
import { MeasureServices, measureDatabase } from './services.ts'
import { type Synced, sync } from './syncing.ts'

export interface WideRowsRequest {
  readonly rows: number
  readonly rowBytes: number
  readonly arms: readonly Arm[]
  readonly extractorMemory: string
  readonly loaderMemory: string
}

export interface WideRowsResult extends Synced {
  readonly arm: Arm
  readonly rows: number
  readonly rawBytes: number
}

const DATABASE = measureDatabase('wide')

/** Rows of tens of megabytes from Postgres into each format, in small pods. A view computes them, so that no disk holds them. */
export async function measureWideRows(
  request: WideRowsRequest,
  signal: AbortSignal,
): Promise<readonly WideRowsResult[]> {
  const { rows, rowBytes, arms, extractorMemory, loaderMemory } = request
  await using services = await MeasureServices.start(signal)
  const env = await services.variables(DATABASE)
  await withPostgres({ ...services.postgres, database: DATABASE }, (client) =>
    makeWideView(client, rows, rowBytes),
  )
  const results: WideRowsResult[] = []
  for (const arm of arms) {
    const source = [...services.postgresSource(DATABASE), '--table', 'wide', '--mode', 'full-refresh']
    const memory = ['--extractor-memory', extractorMemory, '--loader-memory', loaderMemory]
    const synced = await sync([...source, '--to', arm, '--partition', 'none', ...memory], env)
    process.stderr.write(`${arm}: ${JSON.stringify(synced)}\n`)
    results.push({ arm, rows, rawBytes: rows * rowBytes, ...synced })
  }
  return results
}
