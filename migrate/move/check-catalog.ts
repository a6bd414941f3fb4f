import { z } from 'zod'
import { LakeduelError } from '../../platform/errors.ts'
import type { Lake } from '../lake/lake.ts'
import { filesOf } from '../lake/table-files.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import { liveRows } from '../plan/file-plan.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { RegisteredPlace } from '../register/register.ts'

const SHOWN_FILES = 5

/**
 * Holds the catalog against the plan: each file that was to be registered is there once, and no other that isn't DuckLake's
 * own. DuckLake takes paths for patterns and adds a file twice when it is told to, and tells of neither.
 * @throws LakeduelError `PROOF_FAILED`
 */
export async function checkCatalog(
  lake: Lake,
  name: TableName,
  plan: TablePlan,
  place: RegisteredPlace,
): Promise<void> {
  const found = await filesOf(lake, name)
  const planned = plan.files.filter(({ action }) => action.startsWith('register')).map(place.uriOf)
  const wanted = new Set(planned)
  const counts = new Map<string, number>()
  for (const uri of found) counts.set(uri, (counts.get(uri) ?? 0) + 1)
  const problems = [
    ...planned.filter((uri) => !counts.has(uri)).map((uri) => `${uri} isn't in the table`),
    ...[...counts]
      .filter(([uri, count]) => count > 1 && wanted.has(uri))
      .map(([uri]) => `${uri} is in it twice`),
    ...found
      .filter((uri) => !wanted.has(uri) && !uri.startsWith(lake.dataPath))
      .map((uri) => `${uri} wasn't planned`),
    ...(await rowProblems(lake, name, plan)),
  ]
  if (problems.length === 0) return
  throw new LakeduelError(
    'PROOF_FAILED',
    `The catalog isn't as planned: ${problems.slice(0, SHOWN_FILES).join('; ')}.`,
    {
      facts: { ...name, problems: problems.length },
      remedy: 'Roll the migration back; the Delta table is untouched.',
    },
  )
}

async function rowProblems(
  { session }: Lake,
  name: TableName,
  { files }: TablePlan,
): Promise<readonly string[]> {
  const [row] = await session.query(
    z.object({ rows: z.bigint() }),
    `SELECT count(*) AS rows FROM ${sqlName(name)}`,
  )
  const expected = files.reduce((sum, file) => sum + liveRows(file), 0)
  const rows = Number(row?.rows ?? 0n)
  return rows === expected ? [] : [`it has ${rows} rows, and ${expected} were planned`]
}
