import { identifier } from '../../platform/duckdb/sql.ts'
import { setCommitInfo } from '../lake/commit-info.ts'
import { engineStep } from '../lake/engine-errors.ts'
import { guard } from '../lake/guard.ts'
import { assertApart, type Lake } from '../lake/lake.ts'
import { sqlName, stagingName, type TableName } from '../lake/table-name.ts'
import { DeltaLog } from '../log/log.ts'
import type { Mode } from '../plan/decide.ts'
import { planTable, type TablePlan } from '../plan/plan.ts'
import { copiesIn } from '../register/copies.ts'
import { inPlace } from '../register/register.ts'
import type { DeltaSource } from '../source/source.ts'
import { loadState, type MigrationState, replaceState } from '../state/state.ts'
import { VersionApplier } from '../versions/apply-version.ts'
import { type BaseVersion, baseVersion } from '../versions/base-version.ts'
import { nameHistory } from '../versions/history-names.ts'
import { VersionWalk } from '../versions/walk.ts'
import { assertMovable, assertSamePlan, assertSameSource, begin, ownershipOf } from './begin.ts'
import { checkCatalog } from './check-catalog.ts'
import { setTableOptions } from './make-table.ts'
import { Mover } from './mover.ts'
import { settleRegistered } from './settle-registered.ts'

export interface MoveOptions {
  readonly mode: Mode
  /** Null for the latest version, or for that of the migration that is under way. */
  readonly asOf: number | null
  /** Whether registered files become DuckLake's own. */
  readonly own: boolean
  /** How many versions before become snapshots, too; null for none. */
  readonly history: number | 'all' | null
}

/** What is under way, for whoever shows it. */
export interface MoveProgress {
  readonly filesDone: number
  readonly filesTotal: number
  readonly bytesDone: number
  readonly bytesTotal: number
  /** Versions of a history that are applied, and those that will be; nothing where there is none. */
  readonly version: { readonly at: number; readonly goal: number } | null
}

/** A table that is filled, and that waits under a name of its own until it is published. */
export interface MovedTable {
  readonly state: MigrationState
  readonly name: TableName
  /** Of the base version; null where an earlier run has moved it. */
  readonly plan: TablePlan | null
  /** Why a history doesn't begin as early as it was asked to; null where it does, or there is none. */
  readonly shortened: string | null
}

/**
 * Moves the files of a Delta table into a table of the lake that waits under a name of its own.
 *
 * The protocol: one transaction makes the table and the state of the migration; each batch is one transaction with the state
 * that counts it; one more gives columns their names; each version of a history is one more. Whoever was killed runs it again:
 * it finds the state, comes to the same plan, and goes on behind the last transaction.
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
  if (found?.status === 'done') {
    await nameHistory(lake, target)
    return null
  }
  await assertApart(lake.dataPath, source.uri)
  const log = await DeltaLog.open(source)
  const goal = found?.goal ?? options.asOf ?? log.latestVersion
  const base = found === null ? await baseOf(log, goal, options) : { version: found.base, reason: null }
  const filled =
    found?.status === 'moved'
      ? { state: found, plan: null }
      : await fillTable(source, lake, target, { base: base.version, goal, found, options }, report)
  const state = await applyVersions(log, lake, target, filled.state, report)
  return { state, plan: filled.plan, name: stagingName(target), shortened: base.reason }
}

async function baseOf(log: DeltaLog, goal: number, { history }: MoveOptions): Promise<BaseVersion> {
  if (history === null) return { version: goal, reason: null }
  const present = new Map((await log.source.store.list('')).map((object) => [object.key, object]))
  return baseVersion(log, present, goal, history)
}

interface Filling {
  readonly base: number
  readonly goal: number
  readonly found: MigrationState | null
  readonly options: MoveOptions
}

/** Brings the base version into the table. */
async function fillTable(
  source: DeltaSource,
  lake: Lake,
  target: TableName,
  { base, goal, found, options }: Filling,
  report: (progress: MoveProgress) => void,
): Promise<{ readonly plan: TablePlan; readonly state: MigrationState }> {
  const plan = await planTable(source, { asOf: base, mode: options.mode, lookForNan: true })
  assertMovable(plan, found)
  const ownership = ownershipOf(lake, plan, options)
  if (found !== null) assertSamePlan(found, plan, ownership, target)
  if (ownership === 'guarded') await guard(lake, `${source.uri}/`)
  const state = found ?? (await begin(lake, target, plan, ownership, goal))
  const place = ownership === 'copied' ? copiesIn(lake, state.id) : inPlace(source, plan, ownership)
  const name = stagingName(target)
  await engineStep('setting the options of the table', { ...target }, () => setTableOptions(lake, name))
  const mover = new Mover(source, lake, target, plan, place, report)
  const batched = await mover.moveBatches(state)
  await settleRegistered(lake, name, plan, place, { migration: state.id, deltaVersion: state.version })
  await checkCatalog(lake, name, plan, place)
  return { plan, state: await mover.finish(batched) }
}

/** Those of a history, each as a snapshot of its own. */
async function applyVersions(
  log: DeltaLog,
  lake: Lake,
  target: TableName,
  begun: MigrationState,
  report: (progress: MoveProgress) => void,
): Promise<MigrationState> {
  if (begun.version === begun.goal) return begun
  const applier = new VersionApplier(log.source, lake, target, stagingName(target))
  const walk = await VersionWalk.startAt(log, begun.version)
  let state = begun
  const none = { filesDone: 0, filesTotal: 0, bytesDone: 0, bytesTotal: 0 }
  for (let step = await walk.next(begun.goal); step !== null; step = await walk.next(begun.goal)) {
    state = await applier.apply(state, step)
    report({ ...none, version: { at: state.version, goal: state.goal } })
  }
  return state
}

/** Gives a filled table its name, in the transaction of the state that says so. */
export async function publishTable(
  lake: Lake,
  target: TableName,
  { state, name }: MovedTable,
): Promise<void> {
  await engineStep('publishing the table', { ...target }, () =>
    lake.session.transaction(async () => {
      await replaceState(lake, target, state, { ...state, status: 'done' })
      await lake.session.run(`ALTER TABLE ${sqlName(name)} RENAME TO ${identifier(target.table)}`)
      await setCommitInfo(lake, 'publishing', { migration: state.id, deltaVersion: state.version })
    }),
  )
  await nameHistory(lake, target)
}
