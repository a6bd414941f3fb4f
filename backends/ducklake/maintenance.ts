import { literal } from '../../platform/duckdb/sql.ts'
import type { MaintenanceResult } from '../backend.ts'
import type { TableSpec } from '../schema.ts'
import type { AttachedLake } from './catalog.ts'
import { LAKE, tableFiles } from './catalog.ts'
import { fitToMaintenance } from './memory.ts'
import type { DuckLakeSettings } from './settings.ts'

/**
 * The steps of DuckLake's CHECKPOINT but for one table, and without `delete_orphaned_files`: that one deletes every
 * Parquet file beneath DATA_PATH that the catalog doesn't know, files of a commit under way and of other tables included.
 * Expiring and cleaning concern the whole catalog; there is no other way in DuckLake 1.0.
 */
export async function maintainTable(
  attached: AttachedLake,
  spec: TableSpec,
  settings: DuckLakeSettings,
): Promise<MaintenanceResult> {
  const { session } = attached
  const lake = literal(LAKE)
  const table = literal(spec.name)
  const steps = {
    flush_inlined_data: `CALL ducklake_flush_inlined_data(${lake}, table_name => ${table})`,
    rewrite_data_files: `CALL ducklake_rewrite_data_files(${lake}, ${table}, delete_threshold => ${settings.rewriteDeleteThreshold})`,
    merge_adjacent_files: `CALL ducklake_merge_adjacent_files(${lake}, ${table})`,
    expire_snapshots: `CALL ducklake_expire_snapshots(${lake}, older_than => now())`,
    cleanup_old_files: `CALL ducklake_cleanup_old_files(${lake}, cleanup_all => true)`,
  }
  await fitToMaintenance(session, settings)
  const before = await tableFiles(attached, spec.name)
  const timed = []
  try {
    for (const [name, sql] of Object.entries(steps)) {
      const startMs = performance.now()
      await session.run(sql)
      timed.push({ name, durationMs: performance.now() - startMs })
    }
  } finally {
    await session.set('threads', settings.threads)
  }
  const after = await tableFiles(attached, spec.name)
  return {
    filesBefore: before.dataFiles + before.deleteFiles,
    filesAfter: after.dataFiles + after.deleteFiles,
    steps: timed,
  }
}
