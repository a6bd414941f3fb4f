import { checkCutover, type Readiness } from '../../migrate/follow/cutover.ts'
import { parseTableName, sqlName, type TableName } from '../../migrate/lake/table-name.ts'
import { describeTarget } from '../../migrate/lake/target.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { loadFinished, type MigrationState } from '../../migrate/state/state.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { print } from '../source/print.ts'
import { openTarget, type ProofCliOptions } from './lake-options.ts'
import { writeProof } from './proof-report.ts'
import { proofLines } from './proof-text.ts'
import { openMigrateSurroundings } from './surroundings.ts'

/** `lakeduel migrate cutover`: ends with 1 where the tables aren't equal at the latest version. */
export async function cutover(options: ProofCliOptions): Promise<void> {
  await using surroundings = await openMigrateSurroundings(options, interruptSignal())
  await using lake = await openTarget(surroundings, options, { readOnly: true })
  const target = parseTableName(options.table)
  const state = await loadFinished(lake, target)
  await using source = await openSource(parseLocation(state.source.uri), surroundings)
  const readiness = await checkCutover(surroundings, source, lake, target, options.rows ?? false)
  const { proof, problem, lag } = readiness
  const written =
    options.report === undefined || proof === null ? [] : await writeProof(options.report, proof)
  const steps = problem === null ? switchSteps(state, target, describeTarget(lake.location)) : []
  const data = { ...target, migration: state.id, ready: problem === null, problem, ...lag, proof, steps }
  print(options, data, [...describe(readiness, steps), ...written.map((path) => `  ${path}`)].join('\n'))
  if (problem !== null) process.exitCode = 1
}

function describe({ proof, problem, lag }: Readiness, steps: readonly string[]): readonly string[] {
  return [
    ...(proof === null ? [] : proofLines(proof)),
    ...(problem === null
      ? [`Both tables are equal at version ${lag.version}, the latest. To switch:`]
      : [`Not yet: ${problem}`]),
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
  ]
}

function switchSteps(
  { source, version, ownership }: MigrationState,
  target: TableName,
  catalog: string,
): readonly string[] {
  return [
    `Stop the writers of ${source.uri}, and OPTIMIZE and VACUUM of it, if they aren't yet; end \`lakeduel migrate follow\`.`,
    `Run \`lakeduel migrate cutover\` again: it must still say version ${version}.`,
    `Point readers at ${sqlName(target)} in the catalog (${catalog}).`,
    `Point writers there. From their first commit on, a rollback loses what they wrote, and a follower refuses to go on.`,
    AFTERWARDS[ownership],
  ]
}

const AFTERWARDS = {
  guarded:
    'Keep the folder of the Delta table, and never VACUUM it: the lake table reads the registered files there, until a rewrite (`ducklake_rewrite_data_files`) has replaced them.',
  copied: 'The Delta table can be deleted when nobody needs it any more: DuckLake has files of its own.',
  owned:
    'Keep the folder of the Delta table, but drop it from where it is written and maintained: DuckLake deletes the files there when it needs them no more. After a full rewrite nothing of it is needed.',
} as const
