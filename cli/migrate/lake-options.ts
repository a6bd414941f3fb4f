import { type Lake, openLake } from '../../migrate/lake/lake.ts'
import { type CatalogLocation, parseTarget } from '../../migrate/lake/target.ts'
import { readHeldServices } from '../../platform/services/held.ts'
import type { PostgresAccess } from '../../platform/services/postgres/client.ts'
import type { MigrateSurroundings } from './surroundings.ts'

export interface LakeCliOptions {
  readonly to: string
  readonly dataPath?: string
  readonly metadataSchema: string
}

/** Of the commands that prove a table that was moved. */
export interface ProofCliOptions extends LakeCliOptions {
  readonly table: string
  readonly rows?: boolean
  readonly report?: string
  readonly maxMemory?: number
  readonly config?: string
  readonly json?: boolean
}

export async function openTarget(
  surroundings: MigrateSurroundings,
  options: LakeCliOptions,
  { readOnly }: { readonly readOnly: boolean },
): Promise<Lake> {
  const location = await locationOf(surroundings, options)
  return openLake(location, surroundings, { dataPath: options.dataPath ?? null, readOnly })
}

/** Where the catalog is that the options name. */
export async function locationOf(
  surroundings: MigrateSurroundings,
  { to, metadataSchema }: LakeCliOptions,
): Promise<CatalogLocation> {
  return parseTarget(to, { postgres: await postgresOf(surroundings), metadataSchema })
}

/** The configured server, else the one that `lakeduel services up` holds, else none. */
async function postgresOf({ config }: MigrateSurroundings): Promise<PostgresAccess | null> {
  if (config.postgres !== null) {
    const { sslmode, ...access } = config.postgres
    return { ...access, ...(sslmode === null ? {} : { sslmode }) }
  }
  return (await readHeldServices(config.home))?.servers.postgres ?? null
}
