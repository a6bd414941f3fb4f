import { insertRows } from './insert.ts'
import { joinCondition } from './keys.ts'
import type { UpsertStrategy } from './strategy.ts'
import { partitionCondition } from './strategy.ts'

/**
 * `ducklake/delete-insert`: the stored rows of the batch's keys are deleted, then all rows of the batch are inserted.
 * The delete joins keys with keys, and the insert streams, so no statement holds the rows of the batch.
 */
export const applyByDeleteInsert: UpsertStrategy = async (context, staged, survey) => {
  const { session, spec, target } = context
  const rowsUpdated = await session.run(
    `DELETE FROM ${target} AS stored
     WHERE ${partitionCondition(spec, survey, 'stored')}
       AND EXISTS (SELECT 1 FROM ${survey.keys} AS batch WHERE ${joinCondition(spec, 'stored', 'batch')})`,
  )
  const statements = await insertRows(context, staged, survey)
  return { rowsInserted: survey.distinctKeys - rowsUpdated, rowsUpdated, statements: statements + 1 }
}
