import { typeText } from '../../migrate/log/schema.ts'
import type { Mode } from '../../migrate/plan/decide.ts'
import { estimateOf, figuresByAction } from '../../migrate/plan/estimate.ts'
import type { FilePlan } from '../../migrate/plan/file-plan.ts'
import { planTable, type TablePlan } from '../../migrate/plan/plan.ts'
import { risksOf } from '../../migrate/plan/risks.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { formatBytes, formatCount, formatDuration } from '../../reports/format.ts'
import { print } from '../source/print.ts'
import { openMigrateSurroundings } from './surroundings.ts'
import { textTable } from './text-table.ts'

export interface PlanCliOptions {
  readonly asOf?: number
  readonly mode: Mode
  readonly nan?: boolean
  readonly maxMemory?: number
  readonly config?: string
  readonly json?: boolean
}

/** `lakeduel migrate plan URI`: ends with 1 where the table can't be moved. */
export async function plan(uri: string, options: PlanCliOptions): Promise<void> {
  await using surroundings = await openMigrateSurroundings(options, interruptSignal())
  await using source = await openSource(parseLocation(uri), surroundings)
  const made = await planTable(source, {
    asOf: options.asOf ?? null,
    mode: options.mode,
    lookForNan: options.nan ?? false,
  })
  print(options, planData(made), describePlan(made))
  if (made.refusals.length > 0) process.exitCode = 1
}

/** What `--json` prints. */
export function planData(made: TablePlan) {
  const { snapshot } = made
  return {
    uri: snapshot.uri,
    version: snapshot.version,
    mode: made.mode,
    verdict: made.refusals.length > 0 ? 'refused' : 'can be moved',
    refusals: made.refusals,
    columns: made.columns.map(({ field, sql, nullable, comment, defaultSql }) => ({
      name: field.name,
      physicalName: field.physicalName,
      deltaType: typeText(field.type),
      type: sql,
      nullable,
      comment,
      default: defaultSql,
    })),
    partitionBy: snapshot.table.partitionColumns,
    actions: Object.fromEntries(figuresByAction(made.files)),
    files: made.files.map(({ file, footer, action, reasons, missing, extra }) => ({
      path: file.uri,
      bytes: footer.bytes,
      rows: footer.rows,
      deletedRows: file.deletionVector?.cardinality ?? 0,
      action,
      reasons,
      missing,
      extra,
    })),
    notes: made.notes,
    risks: risksOf(made.files),
    estimate: estimateOf(made),
  }
}

export function describePlan(made: TablePlan): string {
  const { snapshot, refusals } = made
  const title = `${snapshot.uri}, version ${snapshot.version}`
  if (refusals.length > 0) return [`${title}: it can't be moved.`, ...bullets(refusals)].join('\n')
  return [
    `${title}: it can be moved.`,
    '',
    textTable(['what becomes of them', 'files', 'bytes', 'rows'], actionRows(made)),
    ...section('Why files are rewritten', reasonLines(made.files)),
    '',
    textTable(['column', 'Delta', 'DuckLake', 'nullable'], columnRows(made)),
    ...section('Partitioned by', snapshot.table.partitionColumns),
    ...section(
      'What is lost or changes',
      made.notes.map(({ subject, text }) => `${subject}: ${text}`),
    ),
    ...section('Risks', risksOf(made.files)),
    ...section('Estimate', [estimateLine(made)]),
  ].join('\n')
}

const TITLES: Readonly<Record<FilePlan['action'], string>> = {
  register: 'registered as they are',
  'register-and-delete': 'registered, deleted rows deleted',
  rewrite: 'rewritten',
  skip: 'skipped, without rows',
}
const SHOWN_LINES = 20

function actionRows({ files }: TablePlan): readonly (readonly string[])[] {
  return [...figuresByAction(files)].map(([action, figures]) => [
    TITLES[action],
    formatCount(figures.files),
    formatBytes(figures.bytes),
    formatCount(figures.rows),
  ])
}

function columnRows({ columns }: TablePlan): readonly (readonly string[])[] {
  return columns.map(({ field, sql, nullable }) => [
    field.name,
    typeText(field.type),
    sql,
    nullable ? 'yes' : 'no',
  ])
}

/** Each reason once, with the files that it is true of. */
function reasonLines(files: readonly FilePlan[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const { reasons } of files)
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => `${formatCount(count)} files: ${reason}`)
}

function estimateLine(made: TablePlan): string {
  const { durationMs, requests, memoryBytes, bytesToWrite } = estimateOf(made)
  return `about ${formatDuration(durationMs)} with the proof, ${formatCount(requests)} requests on an object store, ${formatBytes(memoryBytes)} of memory, ${formatBytes(bytesToWrite)} to write`
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...bullets(lines)]
}

function bullets(lines: readonly string[]): readonly string[] {
  const more = lines.length - SHOWN_LINES
  return [
    ...lines.slice(0, SHOWN_LINES).map((line) => `  - ${line}`),
    ...(more > 0 ? [`  - and ${formatCount(more)} more; --json has them all`] : []),
  ]
}
