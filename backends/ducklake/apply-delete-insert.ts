import { deleteKeys } from './delete-keys.ts'
import { fansOut, insertFannedOut, withParallelReads } from './fan-out.ts'
import { withInlinedDeletes } from './inlined-deletes.ts'
import { insertRows } from './insert.ts'
import type { UpsertStrategy } from './strategy.ts'

/**
 * `ducklake/delete-insert`: the stored rows of the batch's keys are deleted, then all rows of the batch are inserted.
 * The delete joins keys with keys, and the insert streams, so no statement holds the rows of the batch. A batch of many
 * partitions waits for the object store in all of them at once.
 */
export const applyByDeleteInsert: UpsertStrategy = async (context, staged, survey) => {
  if (fansOut(context, survey)) {
    const deleted = await withInlinedDeletes(context, () =>
      withParallelReads(context, staged, () => deleteKeys(context, survey)),
    )
    const statements = await insertFannedOut(context, staged, survey)
    return { rowsInserted: survey.distinctKeys - deleted, rowsUpdated: deleted, statements: statements + 1 }
  }
  const rowsUpdated = await deleteKeys(context, survey)
  const statements = await insertRows(context, staged, survey)
  return { rowsInserted: survey.distinctKeys - rowsUpdated, rowsUpdated, statements: statements + 1 }
}
