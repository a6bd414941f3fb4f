import { copyTree } from '../../platform/storage/tree.ts'
import type { BackendEnvironment } from '../backend.ts'

/** Copies the files of all tables: a Delta log names its files relative to the table, so that is all there is to do. */
export function copyTables(from: BackendEnvironment, to: BackendEnvironment): Promise<void> {
  return copyTree(from.storage, to.storage)
}
