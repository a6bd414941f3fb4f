import { join } from 'node:path'
import pLimit from 'p-limit'
import type { Lake } from '../../migrate/lake/lake.ts'
import { parseTableName, sqlName, type TableName } from '../../migrate/lake/table-name.ts'
import { describeTarget } from '../../migrate/lake/target.ts'
import { type Migrated, migrateTable } from '../../migrate/migrate.ts'
import type { Mode } from '../../migrate/plan/decide.ts'
import { figuresByAction } from '../../migrate/plan/estimate.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { formatDuration, plural } from '../../reports/format.ts'
import { print } from '../source/print.ts'
import { MoveDisplay } from './display.ts'
import { type LakeCliOptions, locationOf, openTarget } from './lake-options.ts'
import { type ManifestTable, readManifest } from './manifest.ts'
import { writeProof } from './proof-report.ts'
import { proofLines } from './proof-text.ts'
import { type MigrateSurroundings, openMigrateSurroundings } from './surroundings.ts'

export interface RunCliOptions extends Partial<LakeCliOptions> {
  readonly metadataSchema: string
  readonly table?: string
  readonly file?: string
  readonly parallel: number
  readonly asOf?: number
  readonly mode: Mode
  readonly own?: boolean
  readonly history?: number | 'all'
  readonly verify: boolean
  readonly rows?: boolean
  readonly report?: string
  readonly keepUnproved?: boolean
  readonly maxMemory?: number
  readonly config?: string
  readonly json?: boolean
}

/** What is done with every table alike. */
type SharedOptions = Pick<RunCliOptions, 'file' | 'verify' | 'rows' | 'report' | 'keepUnproved'>

interface Outcome {
  readonly table: ManifestTable
  readonly catalog: string
  readonly result: Migrated | { readonly outcome: 'failed'; readonly error: unknown }
}

/** `lakeduel migrate run URI | --file FILE`: ends with 1 where a table is not there afterwards. */
export async function run(uri: string | undefined, options: RunCliOptions): Promise<void> {
  const { to, tables } = await whatToRun(uri, options)
  await using surroundings = await openMigrateSurroundings(options, interruptSignal())
  const parallel = await parallelOf(surroundings, to, Math.min(options.parallel, tables.length))
  const share = { ...surroundings, memoryLimitBytes: Math.floor(surroundings.memoryLimitBytes / parallel) }
  using display = new MoveDisplay()
  const outcomes = await pLimit(parallel).map([...tables], (table) =>
    runOne(share, to, table, options, display),
  )
  // Of one table the failure is told as that of the command.
  const told = outcomes.filter(({ result }) => outcomes.length > 1 || result.outcome !== 'failed')
  if (options.json || told.length > 0) print(options, dataOf(outcomes), told.map(describe).join('\n\n'))
  throwFirstFailure(outcomes, options)
}

async function whatToRun(
  uri: string | undefined,
  options: RunCliOptions,
): Promise<{ readonly to: LakeCliOptions; readonly tables: readonly ManifestTable[] }> {
  const { metadataSchema, dataPath } = options
  const dataPathOption = dataPath === undefined ? {} : { dataPath }
  if (options.file !== undefined) {
    const given = givenForOne(uri, options)
    if (given !== undefined) throw bothGiven(given)
    const { tables, to, ...rest } = await readManifest(options.file)
    const dsn = options.to ?? to
    if (dsn === undefined) throw missing('--to')
    return { to: { metadataSchema, ...dataPathOption, ...rest, to: dsn }, tables }
  }
  if (uri === undefined) throw missing('The URI of a Delta table, or --file,')
  if (options.to === undefined) throw missing('--to')
  if (options.table === undefined) throw missing('--table')
  const { mode, asOf = null, own = false, history = null } = options
  return {
    to: { to: options.to, metadataSchema, ...dataPathOption },
    tables: [{ uri, table: options.table, mode, asOf, own, history }],
  }
}

/** Tables at a time: a catalog in a file has one writer. A new one is made here, by one of its clients. */
async function parallelOf(
  surroundings: MigrateSurroundings,
  to: LakeCliOptions,
  wanted: number,
): Promise<number> {
  const { kind } = await locationOf(surroundings, to)
  if (wanted === 1 || kind !== 'postgres') return 1
  await using _ = await openTarget(surroundings, to, { readOnly: false })
  return wanted
}

/** What is said of a table on the command line, where a file says it of each. */
function givenForOne(
  uri: string | undefined,
  { table, mode, asOf, own, history }: RunCliOptions,
): string | undefined {
  const options = {
    URI: uri,
    '--table': table,
    '--mode': mode === 'auto' ? undefined : mode,
    '--as-of': asOf,
    '--own': own,
    '--history': history,
  }
  return Object.entries(options).find(([, value]) => value !== undefined)?.[0]
}

/** One failure doesn't keep the other tables from being moved. */
async function runOne(
  surroundings: MigrateSurroundings,
  to: LakeCliOptions,
  table: ManifestTable,
  options: SharedOptions,
  display: MoveDisplay,
): Promise<Outcome> {
  try {
    await using lake = await openTarget(surroundings, to, { readOnly: false })
    return { table, ...(await migrateInto(surroundings, lake, table, options, display)) }
  } catch (error) {
    return { table, catalog: '', result: { outcome: 'failed', error } }
  }
}

async function migrateInto(
  surroundings: MigrateSurroundings,
  lake: Lake,
  table: ManifestTable,
  options: SharedOptions,
  display: MoveDisplay,
): Promise<Omit<Outcome, 'table'>> {
  await using source = await openSource(parseLocation(table.uri), surroundings, lake.session)
  const migrateOptions = {
    ...table,
    verify: options.verify,
    rowByRow: options.rows ?? false,
    keepUnproved: options.keepUnproved ?? false,
  }
  const target = parseTableName(table.table)
  const signal = interruptSignal()
  const result = await migrateTable(surroundings, source, lake, target, migrateOptions, (progress) => {
    signal.throwIfAborted()
    display.show(table.table, progress)
  })
  const proof = 'proof' in result ? result.proof : null
  if (options.report !== undefined && proof !== null)
    await writeProof(reportFolder(options.report, options.file, target), proof)
  return { catalog: describeTarget(lake.location), result }
}

/** Of many tables each has its proof in a folder of its name. */
function reportFolder(folder: string, file: string | undefined, { schema, table }: TableName): string {
  return file === undefined ? folder : join(folder, encodeURIComponent(`${schema}.${table}`))
}

function dataOf(outcomes: readonly Outcome[]) {
  return {
    tables: outcomes.map(({ table, result }) => ({
      uri: table.uri,
      table: table.table,
      ...resultData(result),
    })),
  }
}

function resultData(result: Outcome['result']) {
  if (result.outcome === 'done before') return result
  if (result.outcome === 'failed') {
    const { error } = result
    return {
      outcome: result.outcome,
      message: messageOf(error),
      ...(error instanceof LakeduelError ? { code: error.code, facts: error.facts } : {}),
    }
  }
  const { outcome, state, plan, proof, historyNotes, movedMs, totalMs } = result
  return {
    outcome,
    migration: state.id,
    version: state.version,
    base: state.base,
    ownership: state.ownership,
    actions: plan === null ? null : Object.fromEntries(figuresByAction(plan.files)),
    notes: plan?.notes ?? [],
    historyNotes,
    proof,
    movedMs,
    totalMs,
  }
}

function describe({ table, catalog, result }: Outcome): string {
  const where = `${sqlName(parseTableName(table.table))} (${catalog})`
  if (result.outcome === 'done before') return `${where} was migrated before; nothing was changed.`
  if (result.outcome === 'failed') return `${table.uri} was not moved: ${messageOf(result.error)}`
  const { state, plan, proof, historyNotes, movedMs, totalMs } = result
  const versions =
    state.base === state.version ? `version ${state.version}` : `versions ${state.base} to ${state.version}`
  const actions = [...figuresByAction(plan?.files ?? [])].map(
    ([action, { files }]) => `${action} ${plural(files, 'file')}`,
  )
  return [
    `${where} has ${versions} of ${state.source.uri}: moved in ${formatDuration(movedMs)}, ${formatDuration(totalMs)} in all.`,
    ...(plan === null ? [] : [`  ${actions.join(', ') || 'no files'}`]),
    `  ${OWNERSHIP_TEXT[state.ownership]}`,
    ...historyNotes.map((note) => `  ${note}`),
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

function throwFirstFailure(outcomes: readonly Outcome[], { keepUnproved }: RunCliOptions): void {
  for (const { table, result } of outcomes) {
    if (result.outcome === 'failed') throw result.error
    if (result.outcome === 'not proved')
      throw unproved(table.table, result.proof?.verdict ?? '', keepUnproved ?? false)
  }
}

function unproved(table: string, verdict: string, kept: boolean): LakeduelError {
  return new LakeduelError('PROOF_FAILED', `${table} is not what the Delta table is: ${verdict}`, {
    facts: { table },
    remedy: kept
      ? 'The table waits under its staging name; `lakeduel migrate rollback` removes it.'
      : 'The migration was rolled back, and the Delta table is as it was; --keep-unproved keeps the table to be looked at.',
  })
}

function missing(what: string): LakeduelError {
  return new LakeduelError('USAGE', `${what} is missing.`, {
    remedy:
      "For example: lakeduel migrate run s3://lake/events --to 'ducklake:postgres:dbname=lake' --table events",
  })
}

function bothGiven(option: string): LakeduelError {
  return new LakeduelError('USAGE', `${option} is of one table, and --file tells it of each.`, {
    remedy: 'Put it into the file, or leave --file out.',
  })
}
