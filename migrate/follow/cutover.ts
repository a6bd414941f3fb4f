import { assertUnchangedByOthers } from '../lake/foreign-changes.ts'
import type { Lake } from '../lake/lake.ts'
import type { TableName } from '../lake/table-name.ts'
import { DeltaLog } from '../log/log.ts'
import { readSnapshot } from '../log/snapshot.ts'
import { planColumns } from '../plan/columns.ts'
import type { DeltaSource } from '../source/source.ts'
import { loadFinished, type MigrationState } from '../state/state.ts'
import type { Proof } from '../verify/proof.ts'
import type { ReaderAccess } from '../verify/readers.ts'
import { verifyTable } from '../verify/verify.ts'
import { type Lag, lagOf } from './follow.ts'

/** Whether readers and writers can be switched to the lake table. */
export interface Readiness {
  readonly state: MigrationState
  readonly lag: Lag
  /** Null where the lake table is behind, so that there is nothing to compare. */
  readonly proof: Proof | null
  /** Why not yet, as a sentence; null where everything is equal at the latest version. */
  readonly problem: string | null
}

/**
 * Holds the lake table against the latest version of the Delta table. Nothing is written.
 * @throws LakeduelError `TABLE_NOT_FOUND`, `MIGRATION_REFUSED` where others have changed the lake table
 */
export async function checkCutover(
  access: ReaderAccess,
  source: DeltaSource,
  lake: Lake,
  target: TableName,
  rowByRow: boolean,
): Promise<Readiness> {
  const state = await loadFinished(lake, target)
  const remedy = 'Somebody writes to the lake table already: it was cut over before, or must be moved again.'
  await assertUnchangedByOthers(lake, target, state.id, remedy)
  const log = await DeltaLog.open(source)
  const lag = lagOf(log, state.version)
  if (lag.latestVersion !== state.version) {
    const problem = `The lake table has version ${state.version}, and the Delta table version ${lag.latestVersion}: apply the rest with \`lakeduel migrate follow --once\`.`
    return { state, lag, proof: null, problem }
  }
  const snapshot = await readSnapshot(log, state.version)
  const expected = { snapshot, columns: planColumns(snapshot.table).columns }
  const anyColumnOrder = state.base !== state.version
  const proof = await verifyTable(access, source, lake, target, expected, { rowByRow, anyColumnOrder })
  const after = await DeltaLog.open(source)
  return {
    state,
    lag: lagOf(after, state.version),
    proof,
    problem: problemOf(proof, state, after.latestVersion),
  }
}

function problemOf(proof: Proof, { version }: MigrationState, latestVersion: number): string | null {
  if (!proof.passed) return proof.verdict
  return latestVersion === version
    ? null
    : `Version ${latestVersion} was committed to the Delta table meanwhile, so that a writer isn't stopped yet.`
}
