import { type CommitInfo, setCommitInfo } from '../lake/commit-info.ts'
import { engineStep } from '../lake/engine-errors.ts'
import type { Lake } from '../lake/lake.ts'
import { filesOf } from '../lake/table-files.ts'
import type { TableName } from '../lake/table-name.ts'
import { firstUnreadable } from '../parquet/broken-file.ts'
import { isRegistered } from '../plan/file-plan.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { RegisteredPlace } from '../register/register.ts'
import { deleteRegistered } from '../versions/delete-files.ts'

/**
 * Whole folders are registered by patterns, which match what is there by then: a file that a writer has put there since the
 * plan came in, too, and goes out again here; one that VACUUM has removed since did not, and stops the migration.
 * @throws LakeduelError `SOURCE_BROKEN` naming a file that is gone
 */
export async function settleRegistered(
  lake: Lake,
  name: TableName,
  plan: TablePlan,
  place: RegisteredPlace,
  info: CommitInfo,
): Promise<void> {
  const found = new Set(await filesOf(lake, name))
  const planned = new Set(plan.files.filter(isRegistered).map(place.uriOf))
  const gone = await firstUnreadable(
    lake.session,
    [...planned].filter((uri) => !found.has(uri)),
  )
  if (gone !== null) throw gone
  const later = [...found].filter((uri) => !planned.has(uri) && !uri.startsWith(lake.dataPath))
  if (later.length === 0) return
  const doing = `taking out ${later.length} files that were written meanwhile`
  await engineStep(doing, { ...name, files: later.length }, () =>
    lake.session.transaction(async () => {
      await deleteRegistered(lake, name, later)
      await setCommitInfo(lake, doing, info)
    }),
  )
}
