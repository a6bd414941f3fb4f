import type { Lake } from '../../migrate/lake/lake.ts'
import { parseTableName, sqlName, type TableName } from '../../migrate/lake/table-name.ts'
import { describeTarget } from '../../migrate/lake/target.ts'
import { type MovedTable, moveTable, publishTable } from '../../migrate/move/move.ts'
import type { Mode } from '../../migrate/plan/decide.ts'
import { figuresByAction } from '../../migrate/plan/estimate.ts'
import { rollback } from '../../migrate/rollback/rollback.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import type { DeltaSource } from '../../migrate/source/source.ts'
import type { Proof } from '../../migrate/verify/proof.ts'
import { verifyTable } from '../../migrate/verify/verify.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { formatDuration, plural } from '../../reports/format.ts'
import { print } from '../source/print.ts'
import { MoveDisplay } from './display.ts'
import { type LakeCliOptions, openTarget } from './lake-options.ts'
import { writeProof } from './proof-report.ts'
import { proofLines } from './proof-text.ts'
import { type MigrateSurroundings, openMigrateSurroundings } from './surroundings.ts'

export interface RunCliOptions extends LakeCliOptions {
  readonly table: string
  readonly asOf?: number
  readonly mode: Mode
  readonly own?: boolean
  readonly verify: boolean
  readonly rows?: boolean
  readonly report?: string
  readonly keepUnproved?: boolean
  readonly maxMemory?: number
  readonly config?: string
  readonly json?: boolean
}

/** `lakeduel migrate run URI` */
export async function run(uri: string, options: RunCliOptions): Promise<void> {
  const startedAt = performance.now()
  await using surroundings = await openMigrateSurroundings(options, interruptSignal())
  await using lake = await openTarget(surroundings, options, { readOnly: false })
  await using source = await openSource(parseLocation(uri), surroundings, lake.session)
  const target = parseTableName(options.table)
  using display = new MoveDisplay(options.table)
  const moved = await moveTable(
    source,
    lake,
    target,
    { mode: options.mode, asOf: options.asOf ?? null, own: options.own ?? false },
    (progress) => display.show({ step: 'moving', ...progress }),
  )
  const movedMs = performance.now() - startedAt
  const proof =
    moved !== null && options.verify
      ? await prove(surroundings, source, lake, target, moved, options, display)
      : null
  if (moved !== null && proof?.passed !== false) await publishTable(lake, target, moved)
  const durations = { movedMs, totalMs: performance.now() - startedAt }
  print(options, runData(target, moved, proof, durations), describeRun(lake, target, moved, proof, durations))
  if (proof?.passed === false) throw unproved(proof, target, options)
}

/** Where it fails, the migration is undone, unless it is to be looked at. */
async function prove(
  surroundings: MigrateSurroundings,
  source: DeltaSource,
  lake: Lake,
  target: TableName,
  { plan, name }: MovedTable,
  options: RunCliOptions,
  display: MoveDisplay,
): Promise<Proof> {
  display.show({ step: 'proving' })
  const proof = await verifyTable(surroundings, source, lake, name, plan, { rowByRow: options.rows ?? false })
  if (options.report !== undefined) await writeProof(options.report, proof)
  if (!proof.passed && options.keepUnproved !== true) await rollback(lake, target, false)
  return proof
}

function unproved({ verdict }: Proof, target: TableName, { keepUnproved }: RunCliOptions): LakeduelError {
  return new LakeduelError(
    'PROOF_FAILED',
    `${target.schema}.${target.table} is not what the Delta table is: ${verdict}`,
    {
      facts: { ...target },
      remedy: keepUnproved
        ? 'The table waits under its staging name; `lakeduel migrate rollback` removes it.'
        : 'The migration was rolled back, and the Delta table is as it was; --keep-unproved keeps the table to be looked at.',
    },
  )
}

interface Durations {
  readonly movedMs: number
  readonly totalMs: number
}

function runData(target: TableName, moved: MovedTable | null, proof: Proof | null, durations: Durations) {
  if (moved === null) return { ...target, outcome: 'done before', ...durations }
  const { plan, state } = moved
  return {
    ...target,
    outcome: proof?.passed === false ? 'not proved' : 'moved',
    migration: state.id,
    version: state.version,
    ownership: state.ownership,
    actions: Object.fromEntries(figuresByAction(plan.files)),
    notes: plan.notes,
    proof,
    ...durations,
  }
}

function describeRun(
  lake: Lake,
  target: TableName,
  moved: MovedTable | null,
  proof: Proof | null,
  { movedMs, totalMs }: Durations,
): string {
  const where = `${sqlName(target)} (${describeTarget(lake.location)})`
  if (moved === null) return `${where} was migrated before; nothing was changed.`
  const { state, plan } = moved
  const actions = [...figuresByAction(plan.files)].map(
    ([action, { files }]) => `${action} ${plural(files, 'file')}`,
  )
  return [
    `${where} has version ${state.version} of ${state.source.uri}: moved in ${formatDuration(movedMs)}, ${formatDuration(totalMs)} in all.`,
    `  ${actions.join(', ') || 'no files'}`,
    `  ${OWNERSHIP_TEXT[state.ownership]}`,
    ...(proof === null ? ['It was not proved.'] : proofLines(proof)),
  ].join('\n')
}

const OWNERSHIP_TEXT = {
  guarded:
    'The registered files stay those of the Delta table: the catalog keeps DuckLake from deleting them.',
  copied:
    'DuckLake has copies of the registered files, beside its own ones; the Delta table is not needed any more.',
  owned: 'DuckLake owns all files of the table, and deletes them when it needs them no more.',
} as const
