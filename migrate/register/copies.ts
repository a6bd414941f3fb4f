import { uriOf } from '../../platform/endpoints.ts'
import { copyFiles } from '../../platform/storage/files.ts'
import type { Lake } from '../lake/lake.ts'
import type { FilePlan } from '../plan/file-plan.ts'
import type { RegisteredPlace } from './register.ts'

/**
 * Copies of data files below DATA_PATH, made by the storage itself, for a catalog that can't be kept from deleting what is
 * registered in it. They have the folders that the files have in the Delta table, since partition values are read from those.
 * @param migrationId of which the copies are
 */
export function copiesIn({ storage }: Lake, migrationId: string): RegisteredPlace {
  return { uriOf: ({ file }) => uriOf(storage, `lakeduel-copies/${migrationId}/${file.key}`), present: [] }
}

/** Makes the copies, over those that a killed migration has left. */
export async function copyAll(
  { storage }: Lake,
  files: readonly FilePlan[],
  place: RegisteredPlace,
): Promise<void> {
  await copyFiles(
    storage,
    files.map((file) => ({ from: file.file.uri, to: place.uriOf(file) })),
  )
}
