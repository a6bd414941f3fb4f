import { createHash } from 'node:crypto'
import type { Arm, BackendEnvironment } from '../../backends/backend.ts'
import type { PostgresEndpoint, Storage } from '../../platform/endpoints.ts'
import { within } from '../../platform/endpoints.ts'
import { dropSchemas } from '../../platform/services/postgres/schemas.ts'
import { deleteTree } from '../../platform/storage/tree.ts'

/** What a run finds around it: services and tools that are up, and how to start its child processes. */
export interface Surroundings {
  readonly runId: string
  /** The run's own prefix or folder. */
  readonly storage: Storage
  readonly postgres: PostgresEndpoint
  readonly duckdbExtensions: Readonly<Record<string, string>>
  readonly sidecar: BackendEnvironment['sidecar']
  /** A folder for spill files, emptied after each cell. */
  readonly scratchDir: string
  readonly threads: number
  readonly entries: {
    readonly stage: URL
    readonly loader: URL
    readonly reader: URL
    readonly writer: URL
    readonly stripeServer: URL
    /** The command line itself, for scenarios that run whole imports. */
    readonly main: URL
  }
  /** Where arm strategies are overridden, by arm. */
  readonly settings: Readonly<Partial<Record<Arm, Readonly<Record<string, unknown>>>>>
  readonly signal: AbortSignal
}

/** Where one set of tables lies: its own folder and its own catalog. */
export interface Place {
  readonly storage: Storage
  readonly catalogSchema: string
}

const LONGEST_NAME = 63
const DIGEST_DIGITS = 10

/** All catalog schemas of a run begin so. */
export function catalogPrefix(runId: string): string {
  return `lakeduel_${runId}_`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')
}

export function placeOf(surroundings: Pick<Surroundings, 'runId' | 'storage'>, path: string): Place {
  return {
    storage: within(surroundings.storage, `${path}/`),
    catalogSchema: schemaName(catalogPrefix(surroundings.runId), path),
  }
}

/** Postgres cuts names off after 63 bytes, where paths that begin alike would share a catalog: a digest tells them apart. */
function schemaName(prefix: string, path: string): string {
  const digest = createHash('sha256').update(path).digest('hex').slice(0, DIGEST_DIGITS)
  const name = path.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')
  return `${prefix}${name}`.slice(0, LONGEST_NAME - DIGEST_DIGITS - 1) + `_${digest}`
}

export function environmentOf(
  surroundings: Surroundings,
  place: Place,
  memoryBudgetBytes: number | null,
): BackendEnvironment {
  return {
    storage: place.storage,
    catalog: { postgres: surroundings.postgres, schema: place.catalogSchema },
    duckdbExtensions: surroundings.duckdbExtensions,
    sidecar: surroundings.sidecar,
    scratchDir: surroundings.scratchDir,
    memoryBudgetBytes,
    threads: surroundings.threads,
  }
}

/**
 * Removes whatever lies at a place: files and catalog. It never fails, so that a service that is gone doesn't hide why a
 * cell failed; what is left goes with the run's own bucket or prefix, and with its schemas, when the run ends.
 */
export async function removePlace(surroundings: Surroundings, place: Place): Promise<void> {
  await Promise.allSettled([
    deleteTree(place.storage),
    dropSchemas(surroundings.postgres, [place.catalogSchema]),
  ])
}
