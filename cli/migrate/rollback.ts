import { parseTableName, sqlName } from '../../migrate/lake/table-name.ts'
import { rollback as rollBack } from '../../migrate/rollback/rollback.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { plural } from '../../reports/format.ts'
import { print } from '../source/print.ts'
import { type LakeCliOptions, openTarget } from './lake-options.ts'
import { openMigrateSurroundings } from './surroundings.ts'

export interface RollbackCliOptions extends LakeCliOptions {
  readonly table: string
  readonly force?: boolean
  readonly config?: string
  readonly json?: boolean
}

/** `lakeduel migrate rollback` */
export async function rollback(options: RollbackCliOptions): Promise<void> {
  await using surroundings = await openMigrateSurroundings(options, interruptSignal())
  await using lake = await openTarget(surroundings, options, { readOnly: false })
  const target = parseTableName(options.table)
  const { state, expiredSnapshots } = await rollBack(lake, target, options.force ?? false)
  const text = [
    `${sqlName(target)} is gone, and ${plural(expiredSnapshots, 'snapshot')} of its migration; ${state.source.uri} is as it was.`,
    '  Files that DuckLake wrote for it go with its next cleanup_old_files.',
  ].join('\n')
  print(options, { ...target, migration: state.id, source: state.source.uri, expiredSnapshots }, text)
}
