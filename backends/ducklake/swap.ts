import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier } from '../../platform/duckdb/sql.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { CommitTag, SwapResult } from '../backend.ts'
import type { AttachedLake } from './catalog.ts'
import { snapshotVersion, tableExists, tableName } from './catalog.ts'
import { CommitMarker } from './marker.ts'
import { ensureOptions } from './options.ts'
import type { DuckLakeSettings } from './settings.ts'
import { tableOptions } from './settings.ts'

/**
 * Puts a shadow in its target's place, in one transaction. The target's marker stays, with the progress of all its runs
 * and the tag of the swap in it: a batch that is applied late, to the old table, conflicts there or finds itself done.
 */
export async function swapTables(
  lake: AttachedLake,
  settings: DuckLakeSettings,
  shadow: string,
  target: string,
  tag: CommitTag,
): Promise<SwapResult> {
  const { session } = lake
  // DuckLake makes a table for inlined rows where the session takes the renamed table to have some, and drops the one that
  // readers have in mind.
  await ensureOptions(lake, shadow, tableOptions(settings))
  const { alreadyApplied } = await session.transaction(
    async () => {
      const hasShadow = await tableExists(session, shadow)
      const marker = new CommitMarker(session, target)
      if (await tableExists(session, target)) await marker.adopt()
      else await marker.create()
      const [isFree = false] = await marker.claim([tag])
      if (isFree && !hasShadow) throw shadowNotFound(shadow, target)
      if (isFree) await takePlace(session, shadow, target)
      await dropTables(session, [shadow, new CommitMarker(session, shadow).name])
      return { alreadyApplied: !isFree, hasShadow }
    },
    ({ hasShadow }) => hasShadow,
  )
  return { alreadyApplied, version: await snapshotVersion(session) }
}

/** Renames a table to the name of another, or of none yet, and drops that one; in the open transaction. */
export async function takePlace(session: DuckDbSession, table: string, target: string): Promise<void> {
  await dropTables(session, [target])
  await session.run(`ALTER TABLE ${tableName(table)} RENAME TO ${identifier(target)}`)
}

export async function dropTables(session: DuckDbSession, names: readonly string[]): Promise<void> {
  for (const name of names) await session.run(`DROP TABLE IF EXISTS ${tableName(name)}`)
}

function shadowNotFound(shadow: string, target: string): LakeduelError {
  return new LakeduelError('TABLE_NOT_FOUND', `There is no table ${shadow} to take the place of ${target}.`, {
    facts: { shadow, target },
    remedy: 'Fill the shadow again, and swap it then.',
  })
}
