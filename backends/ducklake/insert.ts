import type { StagedRows } from '../duckdb/staged.ts'
import type { KeySurvey } from './keys.ts'
import { groupParts, rowsOf } from './keys.ts'
import type { UpsertContext } from './strategy.ts'
import { columnList } from './strategy.ts'

/** Inserts the rows of a batch (the last of each key, where there is a survey) and returns the statements it took. */
export async function insertRows(
  { session, spec, target, settings }: UpsertContext,
  staged: StagedRows,
  survey: KeySurvey | null,
): Promise<number> {
  const groups = groupParts(staged.parts, settings.statementPayloadBytes)
  for (const parts of groups) {
    await session.run(`INSERT INTO ${target} (${columnList(spec)}) ${rowsOf(staged, parts, survey)}`)
  }
  return groups.length
}
