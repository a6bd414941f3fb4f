import { deleteKeys } from './delete-keys.ts'
import { insertRows } from './insert.ts'
import type { UpsertStrategy } from './strategy.ts'

/**
 * `ducklake/delete-insert`: the stored rows of the batch's keys are deleted, then all rows of the batch are inserted.
 * The delete joins keys with keys, and the insert streams, so no statement holds the rows of the batch.
 */
export const applyByDeleteInsert: UpsertStrategy = async (context, staged, survey) => {
  const rowsUpdated = await deleteKeys(context, survey)
  const statements = await insertRows(context, staged, survey)
  return { rowsInserted: survey.distinctKeys - rowsUpdated, rowsUpdated, statements: statements + 1 }
}
