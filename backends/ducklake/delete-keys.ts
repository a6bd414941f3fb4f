import type { KeySurvey } from './keys.ts'
import { joinCondition } from './keys.ts'
import type { UpsertContext } from './strategy.ts'
import { partitionCondition } from './strategy.ts'

/** Deletes the stored rows of a batch's keys, and returns how many there were. */
export async function deleteKeys(
  { session, spec, target }: UpsertContext,
  survey: KeySurvey,
): Promise<number> {
  return session.run(
    `DELETE FROM ${target} AS stored
     WHERE ${partitionCondition(spec, survey, 'stored')}
       AND EXISTS (SELECT 1 FROM ${survey.keys} AS batch WHERE ${joinCondition(spec, 'stored', 'batch')})`,
  )
}
