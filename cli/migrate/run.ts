import type { Lake } from '../../migrate/lake/lake.ts'
import { parseTableName, sqlName, type TableName } from '../../migrate/lake/table-name.ts'
import { describeTarget } from '../../migrate/lake/target.ts'
import { type MovedTable, moveTable, publishTable } from '../../migrate/move/move.ts'
import type { Mode } from '../../migrate/plan/decide.ts'
import { figuresByAction } from '../../migrate/plan/estimate.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { formatDuration, plural } from '../../reports/format.ts'
import { print } from '../source/print.ts'
import { MoveDisplay } from './display.ts'
import { type LakeCliOptions, openTarget } from './lake-options.ts'
import { openMigrateSurroundings } from './surroundings.ts'

export interface RunCliOptions extends LakeCliOptions {
  readonly table: string
  readonly asOf?: number
  readonly mode: Mode
  readonly own?: boolean
  readonly maxMemory?: number
  readonly config?: string
  readonly json?: boolean
}

/** `lakeduel migrate run URI` */
export async function run(uri: string, options: RunCliOptions): Promise<void> {
  const startedAt = performance.now()
  await using surroundings = await openMigrateSurroundings(options, interruptSignal())
  await using source = await openSource(parseLocation(uri), surroundings)
  await using lake = await openTarget(surroundings, options, { readOnly: false })
  const target = parseTableName(options.table)
  using display = new MoveDisplay(options.table)
  const moved = await moveTable(
    source,
    lake,
    target,
    { mode: options.mode, asOf: options.asOf ?? null, own: options.own ?? false },
    (progress) => display.show(progress),
  )
  if (moved !== null) await publishTable(lake, target, moved)
  const durationMs = performance.now() - startedAt
  print(options, runData(target, moved, durationMs), describeRun(lake, target, moved, durationMs))
}

function runData(target: TableName, moved: MovedTable | null, durationMs: number) {
  if (moved === null) return { ...target, outcome: 'done before', durationMs }
  const { plan, state } = moved
  return {
    ...target,
    outcome: 'moved',
    migration: state.id,
    version: state.version,
    ownership: state.ownership,
    actions: Object.fromEntries(figuresByAction(plan.files)),
    notes: plan.notes,
    durationMs,
  }
}

function describeRun(lake: Lake, target: TableName, moved: MovedTable | null, durationMs: number): string {
  const where = `${sqlName(target)} (${describeTarget(lake.location)})`
  if (moved === null) return `${where} was migrated before; nothing was changed.`
  const { state, plan } = moved
  const actions = [...figuresByAction(plan.files)].map(
    ([action, { files }]) => `${action} ${plural(files, 'file')}`,
  )
  return [
    `${where} has version ${state.version} of ${state.source.uri}, after ${formatDuration(durationMs)}.`,
    `  ${actions.join(', ') || 'no files'}`,
    `  ${OWNERSHIP_TEXT[state.ownership]}`,
  ].join('\n')
}

const OWNERSHIP_TEXT = {
  guarded:
    'The registered files stay those of the Delta table: the catalog keeps DuckLake from deleting them.',
  copied:
    'DuckLake has copies of the registered files, beside its own ones; the Delta table is not needed any more.',
  owned: 'DuckLake owns all files of the table, and deletes them when it needs them no more.',
} as const
