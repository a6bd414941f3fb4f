import { type Lake, openLake } from '../../migrate/lake/lake.ts'
import { parseTarget } from '../../migrate/lake/target.ts'
import { readHeldServices } from '../../platform/services/held.ts'
import type { PostgresAccess } from '../../platform/services/postgres/client.ts'
import type { MigrateSurroundings } from './surroundings.ts'

export interface LakeCliOptions {
  readonly to: string
  readonly dataPath?: string
  readonly metadataSchema: string
}

export async function openTarget(
  surroundings: MigrateSurroundings,
  { to, dataPath, metadataSchema }: LakeCliOptions,
  { readOnly }: { readonly readOnly: boolean },
): Promise<Lake> {
  const location = parseTarget(to, { postgres: await postgresOf(surroundings), metadataSchema })
  return openLake(location, surroundings, { dataPath: dataPath ?? null, readOnly })
}

/** The configured server, else the one that `lakeduel services up` holds, else none. */
async function postgresOf({ config }: MigrateSurroundings): Promise<PostgresAccess | null> {
  if (config.postgres !== null) {
    const { sslmode, ...access } = config.postgres
    return { ...access, ...(sslmode === null ? {} : { sslmode }) }
  }
  return (await readHeldServices(config.home))?.servers.postgres ?? null
}
