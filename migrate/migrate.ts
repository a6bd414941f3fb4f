/**
 * Moves one Delta table into a DuckLake catalog: plan, move, prove, publish.
 *
 * Words: a **registered** file is one of the Delta table's that DuckLake reads where it lies; a **rewritten** one was read, and
 * its rows written anew. The **staging** table is filled under a name of its own and takes the name that was asked for when it
 * is **proved**. The **state** of a migration is a table beside it, committed with what it tells of.
 */

import { translateError } from '../backends/duckdb/errors.ts'
import type { Lake } from './lake/lake.ts'
import { filesOf } from './lake/table-files.ts'
import type { TableName } from './lake/table-name.ts'
import { readHistory } from './log/history.ts'
import { DeltaLog } from './log/log.ts'
import { readSnapshot } from './log/snapshot.ts'
import { type MovedTable, type MoveOptions, type MoveProgress, moveTable, publishTable } from './move/move.ts'
import { brokenDataFile } from './parquet/broken-file.ts'
import { planColumns } from './plan/columns.ts'
import type { TablePlan } from './plan/plan.ts'
import { rollback } from './rollback/rollback.ts'
import type { DeltaSource } from './source/source.ts'
import type { MigrationState } from './state/state.ts'
import { verifyHistory } from './verify/history.ts'
import type { Proof } from './verify/proof.ts'
import type { ReaderAccess } from './verify/readers.ts'
import { verifyTable, withHistory } from './verify/verify.ts'
import { keepTimes } from './versions/snapshot-times.ts'

export interface MigrateOptions extends MoveOptions {
  readonly verify: boolean
  /** Whether the proof compares all rows one by one, too. */
  readonly rowByRow: boolean
  /** Whether a table whose proof fails stays under its staging name; else the migration is undone. */
  readonly keepUnproved: boolean
}

export type Progress = ({ readonly step: 'moving' } & MoveProgress) | { readonly step: 'proving' }

/** What came of it. */
export type Migrated =
  | { readonly outcome: 'done before' }
  | ({ readonly outcome: 'published' | 'not proved' } & MigratedTable)

export interface MigratedTable {
  readonly state: MigrationState
  /** Null where an earlier run has moved the files. */
  readonly plan: TablePlan | null
  readonly proof: Proof | null
  /** What of a history couldn't be had or kept, as sentences. */
  readonly historyNotes: readonly string[]
  readonly movedMs: number
  readonly totalMs: number
}

/** @throws LakeduelError as `moveTable` does */
export async function migrateTable(
  access: ReaderAccess,
  source: DeltaSource,
  lake: Lake,
  target: TableName,
  options: MigrateOptions,
  report: (progress: Progress) => void,
): Promise<Migrated> {
  const startedAt = performance.now()
  const moved = await moveTable(source, lake, target, options, (progress) =>
    report({ step: 'moving', ...progress }),
  )
  if (moved === null) return { outcome: 'done before' }
  const movedMs = performance.now() - startedAt
  if (options.verify) report({ step: 'proving' })
  const proof = options.verify
    ? await prove(access, source, lake, moved, options.rowByRow).catch(async (error: unknown) => {
        throw await undoneForBrokenFile(lake, target, moved, options, error)
      })
    : null
  const isProved = proof?.passed !== false
  const historyNotes = isProved ? await publish(source, lake, target, moved) : []
  if (!isProved && !options.keepUnproved) await rollback(lake, target, false)
  const totalMs = performance.now() - startedAt
  const { state, plan } = moved
  return {
    outcome: isProved ? 'published' : 'not proved',
    state,
    plan,
    proof,
    historyNotes,
    movedMs,
    totalMs,
  }
}

async function prove(
  access: ReaderAccess,
  source: DeltaSource,
  lake: Lake,
  { state, name }: MovedTable,
  rowByRow: boolean,
): Promise<Proof> {
  const log = await DeltaLog.open(source)
  const snapshot = await readSnapshot(log, state.version)
  const expected = { snapshot, columns: planColumns(snapshot.table).columns }
  const proof = await verifyTable(access, source, lake, name, expected, {
    rowByRow,
    anyColumnOrder: state.base !== state.version,
  })
  return state.base === state.version
    ? proof
    : withHistory(proof, verifyHistory(access, log, lake, name, state))
}

/**
 * A data file whose rows can't be read keeps a table from being proved for good, so the migration is undone for it.
 * @returns the error that names the file; the given one where it has another reason, which may pass
 */
async function undoneForBrokenFile(
  lake: Lake,
  target: TableName,
  { name }: MovedTable,
  { keepUnproved }: MigrateOptions,
  error: unknown,
): Promise<unknown> {
  const broken = await brokenDataFile(lake.session, await filesOf(lake, name), error)
  if (broken !== null && !keepUnproved) await rollback(lake, target, false)
  return broken ?? translateError(error, 'proving the table', { ...target })
}

/** @returns what of a history couldn't be had or kept */
async function publish(
  source: DeltaSource,
  lake: Lake,
  target: TableName,
  moved: MovedTable,
): Promise<readonly string[]> {
  const { state, shortened } = moved
  const begins = shortened === null ? [] : [`The history begins with version ${state.base}: ${shortened}.`]
  if (state.base === state.version) {
    await publishTable(lake, target, moved)
    return begins
  }
  const log = await DeltaLog.open(source)
  // Before the table is published, since a run that finds it published has nothing more to do.
  const lost = await keepTimes(lake, state, await readHistory(log, log.latestVersion - state.base + 1))
  await publishTable(lake, target, moved)
  return lost === null ? begins : [...begins, `Snapshots have the times of the migration: ${lost}.`]
}
