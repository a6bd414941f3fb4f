import { translated } from '../../backends/duckdb/errors.ts'
import { identifier } from '../../platform/duckdb/sql.ts'
import { setCommitInfo } from '../lake/commit-info.ts'
import { guard } from '../lake/guard.ts'
import { assertApart, type Lake } from '../lake/lake.ts'
import { sqlName, stagingName, type TableName } from '../lake/table-name.ts'
import type { Mode } from '../plan/decide.ts'
import { planTable, type TablePlan } from '../plan/plan.ts'
import { copiesIn } from '../register/copies.ts'
import { inPlace, type RegisteredPlace } from '../register/register.ts'
import type { DeltaSource } from '../source/source.ts'
import { loadState, type MigrationState, replaceState } from '../state/state.ts'
import { assertMovable, assertSamePlan, assertSameSource, begin, ownershipOf } from './begin.ts'
import { checkCatalog } from './check-catalog.ts'
import { setTableOptions } from './make-table.ts'
import { Mover } from './mover.ts'

export interface MoveOptions {
  readonly mode: Mode
  /** Null for the latest version, or for that of the migration that is under way. */
  readonly asOf: number | null
  /** Whether registered files become DuckLake's own. */
  readonly own: boolean
}

/** What is under way, for whoever shows it. */
export interface MoveProgress {
  readonly filesDone: number
  readonly filesTotal: number
  readonly bytesDone: number
  readonly bytesTotal: number
}

/** A table that is filled, and that waits under a name of its own until it is published. */
export interface MovedTable {
  readonly plan: TablePlan
  readonly state: MigrationState
  readonly name: TableName
}

/**
 * Moves the files of a Delta table into a table of the lake that waits under a name of its own.
 *
 * The protocol: one transaction makes the table and the state of the migration; each batch is one transaction with the state
 * that counts it; one more gives columns their names. Whoever was killed runs it again: it finds the state, comes to the same
 * plan, and goes on behind the last batch.
 * @returns null where the migration was done before
 * @throws LakeduelError `MIGRATION_REFUSED`, `TABLE_EXISTS`, `MIGRATION_DIFFERS`, `PROOF_FAILED`, and those of the engines
 */
export async function moveTable(
  source: DeltaSource,
  lake: Lake,
  target: TableName,
  options: MoveOptions,
  report: (progress: MoveProgress) => void,
): Promise<MovedTable | null> {
  const found = await loadState(lake, target)
  if (found !== null) assertSameSource(found, source.uri, options.asOf, target)
  if (found?.status === 'done') return null
  await assertApart(lake.dataPath, source.uri)
  const asOf = found?.version ?? options.asOf
  const plan = await planTable(source, { asOf, mode: options.mode, lookForNan: true })
  assertMovable(plan)
  const ownership = ownershipOf(lake, plan, options)
  if (found !== null) assertSamePlan(found, plan, ownership, target)
  if (ownership === 'guarded') await guard(lake, `${source.uri}/`)
  const state = found ?? (await begin(lake, target, plan, ownership))
  const place = ownership === 'copied' ? copiesIn(lake, state.id) : inPlace(source, plan)
  return fillTable(source, lake, target, { plan, state, place }, report)
}

async function fillTable(
  source: DeltaSource,
  lake: Lake,
  target: TableName,
  {
    plan,
    state,
    place,
  }: { readonly plan: TablePlan; readonly state: MigrationState; readonly place: RegisteredPlace },
  report: (progress: MoveProgress) => void,
): Promise<MovedTable> {
  const name = stagingName(target)
  await setTableOptions(lake, name)
  const mover = new Mover(source, lake, target, plan, place, report)
  const moved = await mover.finish(await mover.moveBatches(state))
  await checkCatalog(lake, name, plan, place)
  return { plan, state: moved, name }
}

/** Gives a filled table its name, in the transaction of the state that says so. */
export async function publishTable(
  lake: Lake,
  target: TableName,
  { state, name }: MovedTable,
): Promise<void> {
  await translated('publishing the table', { ...target }, () =>
    lake.session.transaction(async () => {
      await replaceState(lake, target, state, { ...state, status: 'done' })
      await lake.session.run(`ALTER TABLE ${sqlName(name)} RENAME TO ${identifier(target.table)}`)
      await setCommitInfo(lake, 'publishing', { migration: state.id, deltaVersion: state.version })
    }),
  )
}
