import { z } from 'zod'
import { type BackendEnvironment, backendEnvironmentSchema } from '../backends/backend.ts'
import { postgresEndpointSchema, type Storage, storageSchema, within } from '../platform/endpoints.ts'

/** The surroundings that every process of the pipeline is given; it holds secrets, so it is passed on stdin only. */
export const surroundingsSchema = z.strictObject({
  /** Lakes and staged parts lie below it. */
  storage: storageSchema,
  /** Holds the state, the queue and the catalogs. */
  postgres: postgresEndpointSchema,
  duckdbExtensions: backendEnvironmentSchema.shape.duckdbExtensions,
  sidecar: backendEnvironmentSchema.shape.sidecar,
  /** For spill files. */
  scratchDir: z.string(),
  threads: z.int().positive(),
  /** The Postgres schema of runs, batches and cursors. */
  stateSchema: z.string(),
})
export type Surroundings = Readonly<z.infer<typeof surroundingsSchema>>

/** What a backend needs to know to read and write the tables of a lake. */
export function environmentOf(
  surroundings: Surroundings,
  lake: string,
  memoryBudgetBytes: number | null,
): BackendEnvironment {
  const { storage, postgres, duckdbExtensions, sidecar, scratchDir, threads } = surroundings
  return {
    storage: within(storage, `${lake}/`),
    catalog: { postgres, schema: `lakeduel_${lake}` },
    duckdbExtensions,
    sidecar,
    scratchDir,
    memoryBudgetBytes,
    threads,
  }
}

/** Where a run's parts lie until it is done. */
export function stagingOf({ storage }: Surroundings, runId: string): Storage {
  return within(storage, `staging/${runId}/`)
}
