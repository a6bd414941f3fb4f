import { LAKE } from '../../backends/ducklake/catalog.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import { snapshotsOf } from '../lake/commit-info.ts'
import { engineStep } from '../lake/engine-errors.ts'
import { assertUnchangedByOthers } from '../lake/foreign-changes.ts'
import { canGuard, guard } from '../lake/guard.ts'
import type { Lake } from '../lake/lake.ts'
import { tableId } from '../lake/table-id.ts'
import { rangesName, sqlName, stagingName, stateName, type TableName } from '../lake/table-name.ts'
import { loadState, type MigrationState, noMigration } from '../state/state.ts'

export interface RolledBack {
  readonly state: MigrationState
  /** Snapshots of the migration that the catalog has forgotten. */
  readonly expiredSnapshots: number
}

const REMEDY = 'Keep what was written since, or roll back with --force, which drops it with the table.'

/**
 * Undoes a migration: its table and its state go, and the snapshots that only it has made. Files of the Delta table are left
 * alone, also where they had been handed over; those that DuckLake wrote itself go with its next `cleanup_old_files`.
 * @param force also when somebody has written to the table since
 * @throws LakeduelError `TABLE_NOT_FOUND` where no migration made the table, `MIGRATION_REFUSED` where rows would be lost
 */
export async function rollback(lake: Lake, target: TableName, force: boolean): Promise<RolledBack> {
  const state = await loadState(lake, target)
  if (state === null) throw noMigration(target)
  const name = state.status === 'done' ? target : stagingName(target)
  const snapshots = await snapshotsOf(lake, state.id)
  if (!force) await assertUnchangedByOthers(lake, name, state.id, REMEDY)
  return engineStep('rolling the migration back', { ...target, migration: state.id }, async () => {
    await keepSource(lake, state, name)
    await lake.session.transaction(async () => {
      await lake.session.run(`DROP TABLE IF EXISTS ${sqlName(name)}`)
      await lake.session.run(`DROP TABLE IF EXISTS ${sqlName(rangesName(target))}`)
      await lake.session.run(`DROP TABLE ${sqlName(stateName(target))}`)
    })
    return { state, expiredSnapshots: await expire(lake, snapshots) }
  })
}

/** Whatever DuckLake forgets now, it must not delete. */
async function keepSource(lake: Lake, state: MigrationState, name: TableName): Promise<void> {
  const prefix = `${state.source.uri}/`
  if (canGuard(lake)) await guard(lake, prefix)
  else if (state.ownership === 'owned') await forgetFiles(lake, name, prefix)
}

/** Without a trigger, the catalog is made to know nothing of such files before it could schedule them. */
async function forgetFiles(lake: Lake, name: TableName, prefix: string): Promise<void> {
  await lake.session.run(
    `DELETE FROM ${lake.metadata}.ducklake_data_file
     WHERE table_id = ${(await tableId(lake, name)) ?? -1n} AND NOT path_is_relative AND starts_with(path, ${literal(prefix)})`,
  )
}

/** The newest snapshot of all can't go, and those of other writers are none of ours. */
async function expire({ session }: Lake, snapshots: readonly number[]): Promise<number> {
  if (snapshots.length === 0) return 0
  await session.run(`CALL ducklake_expire_snapshots(${literal(LAKE)}, versions => [${snapshots.join(', ')}])`)
  return snapshots.length
}
