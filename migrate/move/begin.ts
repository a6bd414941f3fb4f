import { randomUUID } from 'node:crypto'
import { LakeduelError } from '../../platform/errors.ts'
import { isReachable } from '../../platform/storage/files.ts'
import { setCommitInfo } from '../lake/commit-info.ts'
import { engineStep } from '../lake/engine-errors.ts'
import { canGuard } from '../lake/guard.ts'
import type { Lake } from '../lake/lake.ts'
import { sqlName, stagingName, type TableName } from '../lake/table-name.ts'
import { isRegistered } from '../plan/file-plan.ts'
import type { TablePlan } from '../plan/plan.ts'
import { RewrittenRanges } from '../rewrite/ranges.ts'
import { createState, loadState, type MigrationState, type Ownership, tableExists } from '../state/state.ts'
import { batchesOf, digestOf } from './batches.ts'
import { makeTable } from './make-table.ts'
import type { MoveOptions } from './move.ts'

const SHOWN_REFUSALS = 10
/** DuckLake makes a table in the catalog for rows that it inlines, and Postgres has 1,600 columns at most, fewer of wide types. */
const INLINABLE_COLUMNS = 500
const NOT_BEGUN =
  'Nothing was begun by this run. Let other migrators end, check the DATA_PATH and the rights on it and on the catalog, and run it again.'

/**
 * @param found the migration that goes on
 * @throws LakeduelError `MIGRATION_REFUSED` with every reason, as far as they can be shown
 */
export function assertMovable({ snapshot, refusals }: TablePlan, found: MigrationState | null): void {
  if (refusals.length === 0) return
  const more = refusals.length - SHOWN_REFUSALS
  const shown = refusals.slice(0, SHOWN_REFUSALS).map((reason) => `\n  - ${reason}`)
  throw new LakeduelError(
    'MIGRATION_REFUSED',
    `${snapshot.uri} can't be moved:${shown.join('')}${more > 0 ? `\n  - and ${more} more` : ''}`,
    {
      facts: { uri: snapshot.uri, version: snapshot.version, refusals },
      remedy:
        found === null
          ? '`lakeduel migrate plan` tells all of it and writes nothing; where the table has changed meanwhile, run it again.'
          : `Mend that and run it again, or take back what was moved of version ${found.version} with \`lakeduel migrate rollback\`.`,
    },
  )
}

/** @throws LakeduelError `MIGRATION_REFUSED` where nothing would keep DuckLake from deleting the Delta table's files */
export function ownershipOf(lake: Lake, plan: TablePlan, { own }: MoveOptions): Ownership {
  // In other modes files of later versions may be registered, even where none of the first is.
  if (own || plan.mode === 'rewrite') return 'owned'
  const registered = plan.files.filter(isRegistered)
  if (canGuard(lake)) return 'guarded'
  if (registered.every(({ file }) => isReachable(lake.storage, file.uri))) return 'copied'
  throw new LakeduelError(
    'MIGRATION_REFUSED',
    'A catalog in a DuckDB file has nothing to keep DuckLake from deleting files of the Delta table, and DATA_PATH is in another storage, where they can’t be copied to.',
    {
      facts: { dataPath: lake.dataPath, uri: plan.snapshot.uri },
      remedy: 'Use a catalog in Postgres or SQLite, --mode rewrite, or --own.',
    },
  )
}

/** Makes the state and the empty table, unless there is a table of that name. */
export async function begin(
  lake: Lake,
  target: TableName,
  plan: TablePlan,
  ownership: Ownership,
  goal: number,
): Promise<MigrationState> {
  const staging = stagingName(target)
  if ((await loadState(lake, target)) !== null) throw begunMeanwhile(target)
  for (const name of [target, staging]) {
    if (await tableExists(lake, name)) throw alreadyThere(name)
  }
  const state: MigrationState = {
    format: 1,
    id: randomUUID(),
    source: { uri: plan.snapshot.uri, tableId: plan.snapshot.table.id },
    version: plan.snapshot.version,
    base: plan.snapshot.version,
    goal,
    mode: plan.mode,
    ownership,
    digest: digestOf(plan, ownership),
    batches: batchesOf(plan).length,
    batchesDone: 0,
    status: 'moving',
    startedAt: new Date().toISOString(),
  }
  const making = () =>
    lake.session.transaction(async () => {
      await makeTable(lake, staging, plan)
      await createState(lake, target, state)
      await new RewrittenRanges(lake, target).create()
      await setCommitInfo(lake, 'beginning', { migration: state.id, deltaVersion: state.version })
    })
  if (plan.columns.length > INLINABLE_COLUMNS) await lake.stopInlining()
  await engineStep('beginning the migration', { ...target }, making, NOT_BEGUN)
  return state
}

/** @throws LakeduelError `MIGRATION_DIFFERS` where the migration under way is another one */
export function assertSameSource(
  found: MigrationState,
  uri: string,
  asOf: number | null,
  target: TableName,
): void {
  if (found.source.uri !== uri) {
    throw differs(found, target, `it moves ${found.source.uri}, not ${uri}`)
  }
  if (asOf !== null && asOf !== found.goal) {
    throw differs(found, target, `it moves version ${found.goal}, not ${asOf}`)
  }
}

/** @throws LakeduelError `MIGRATION_DIFFERS` where the plan has become another one */
export function assertSamePlan(
  found: MigrationState,
  plan: TablePlan,
  ownership: Ownership,
  target: TableName,
): void {
  if (found.source.tableId !== plan.snapshot.table.id) {
    throw differs(found, target, 'another Delta table lies at that place now')
  }
  if (found.digest !== digestOf(plan, ownership)) {
    throw differs(
      found,
      target,
      `it was planned with --mode ${found.mode} and files ${found.ownership}, and the plan is another one now`,
    )
  }
}

function differs(found: MigrationState, { schema, table }: TableName, why: string): LakeduelError {
  return new LakeduelError(
    'MIGRATION_DIFFERS',
    `A migration to ${schema}.${table} ${found.status === 'done' ? 'was done' : 'has begun'} before, and ${why}.`,
    {
      facts: { migration: found.id, source: found.source.uri, version: found.version, status: found.status },
      remedy:
        'Name another table with --table, run it again as it was begun, or undo it first with `lakeduel migrate rollback`.',
    },
  )
}

function begunMeanwhile({ schema, table }: TableName): LakeduelError {
  return new LakeduelError(
    'COMMIT_CONFLICT',
    `Another migrator has begun to move a table to ${schema}.${table} at the same moment.`,
    { facts: { schema, table }, remedy: 'Let it end; running this one again then changes nothing.' },
  )
}

function alreadyThere(name: TableName): LakeduelError {
  return new LakeduelError('TABLE_EXISTS', `The catalog has a table ${sqlName(name)} already.`, {
    facts: { ...name },
    remedy: 'Name another one with --table, or drop it.',
  })
}
