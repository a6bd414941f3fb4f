import type { ResultColumn } from '../../platform/duckdb/session.ts'
import { escapedGlob, literal } from '../../platform/duckdb/sql.ts'
import { uriOf } from '../../platform/endpoints.ts'
import type { StoredObject } from '../../platform/storage/object-store.ts'
import { DeltaLog } from '../log/log.ts'
import { type DeltaSnapshot, readSnapshot } from '../log/snapshot.ts'
import { type Footer, FooterReader } from '../parquet/footers.ts'
import { patternsFor } from '../parquet/patterns.ts'
import { NoConversion } from '../rewrite/read-expression.ts'
import { POSITION, selectedColumns } from '../rewrite/selection.ts'
import type { DeltaSource } from '../source/source.ts'
import { footerProblems, missingFiles } from './check-files.ts'
import { type PlannedColumn, planColumns } from './columns.ts'
import { FileDecider, type Mode } from './decide.ts'
import type { FilePlan } from './file-plan.ts'
import { filesWithNan } from './nan-files.ts'
import { type Note, notesOn } from './notes.ts'
import { invalidPartitionValues } from './partition-values.ts'
import type { Naming } from './types.ts'

/** What a migration of one version of a table will do. Making it writes nothing anywhere. */
export interface TablePlan {
  readonly snapshot: DeltaSnapshot
  readonly mode: Mode
  readonly columns: readonly PlannedColumn[]
  readonly files: readonly FilePlan[]
  /** How the table that is filled spells its columns: registered files are found by the names that they have. */
  readonly naming: Naming
  /** The columns of each schema of which files are rewritten, as DuckDB reads them; by the schema's id. */
  readonly fileColumns: ReadonlyMap<string, readonly ResultColumn[]>
  /** Every object below the table's folder, by its key. */
  readonly present: ReadonlyMap<string, StoredObject>
  readonly notes: readonly Note[]
  /** Why the table can't be moved, as sentences; empty where it can. */
  readonly refusals: readonly string[]
}

export interface PlanOptions {
  /** Null for the latest version. */
  readonly asOf: number | null
  readonly mode: Mode
  /** Whether to read columns of floats for NaN, which decides whether their files can be registered. */
  readonly lookForNan: boolean
}

/**
 * Plans the move of a table: reads its log and the footers of its data files, and decides for each file.
 * @throws LakeduelError `TABLE_NOT_FOUND`, `SOURCE_BROKEN`, `SOURCE_UNSUPPORTED` where the log itself can't be read on
 */
export async function planTable(
  source: DeltaSource,
  { asOf, mode, lookForNan }: PlanOptions,
): Promise<TablePlan> {
  const snapshot = await readSnapshot(await DeltaLog.open(source), asOf)
  const { columns, problems } = planColumns(snapshot.table)
  const present = new Map((await source.store.list('')).map((object) => [object.key, object]))
  const missing = missingFiles(source, snapshot, present)
  const draft = { snapshot, mode, columns, present, notes: notesOn(snapshot) }
  const refusals = [...problems, ...missing, ...(await partitionProblems(source, snapshot, columns))]
  if (refusals.length > 0) return { ...draft, files: [], naming: 'logical', fileColumns: new Map(), refusals }
  const decided = await decideFiles(source, snapshot, mode, present)
  const files = lookForNan ? await withoutNan(source, decided) : decided
  const fileColumns = await columnsOfRewritten(source, files)
  const made = { ...draft, files, naming: namingFor(files), fileColumns }
  return { ...made, refusals: fileRefusals(made) }
}

/** The columns that the paths of files hold, not the files themselves. */
export function partitionFields({ table }: DeltaSnapshot) {
  return table.partitionColumns.flatMap((name) => table.columns.filter((column) => column.name === name))
}

async function partitionProblems(
  { session }: DeltaSource,
  snapshot: DeltaSnapshot,
  columns: readonly PlannedColumn[],
): Promise<readonly string[]> {
  return columns.length === 0
    ? []
    : invalidPartitionValues(session, snapshot.files, partitionFields(snapshot))
}

async function decideFiles(
  source: DeltaSource,
  { files, table }: DeltaSnapshot,
  mode: Mode,
  present: ReadonlyMap<string, StoredObject>,
): Promise<readonly FilePlan[]> {
  const uris = files.map(({ uri }) => uri)
  const stored = [...present.keys()].map((key) => uriOf(source.storage, key))
  const footers = await new FooterReader(source.session).read(patternsFor(uris, stored, true))
  const decider = new FileDecider(table, mode)
  return files.map((file) => {
    const footer = footers.get(file.uri)
    if (footer === undefined) throw new Error(`DuckDB read no footer of ${file.uri}`)
    return decider.decide(file, footer)
  })
}

async function withoutNan(
  { session }: DeltaSource,
  files: readonly FilePlan[],
): Promise<readonly FilePlan[]> {
  const found = await filesWithNan(session, files)
  const reason =
    'it has NaN in a column of floats, which its bounds leave out, so that filters would miss rows'
  return files.map((file) =>
    found.has(file.file.uri) ? { ...file, action: 'rewrite', reasons: [reason] } : file,
  )
}

function namingFor(files: readonly FilePlan[]): Naming {
  return files.some(({ action }) => action.startsWith('register')) ? 'physical' : 'logical'
}

/** One file of each schema is asked, since the others have the same columns. */
async function columnsOfRewritten(
  { session }: DeltaSource,
  files: readonly FilePlan[],
): Promise<ReadonlyMap<string, readonly ResultColumn[]>> {
  const examples = new Map<string, Footer>()
  for (const { action, footer } of files) if (action === 'rewrite') examples.set(footer.schema.id, footer)
  const columns = new Map<string, readonly ResultColumn[]>()
  for (const [id, { uri }] of examples) {
    const relation = `read_parquet(${literal(escapedGlob(uri))}, hive_partitioning = false)`
    columns.set(id, await session.columnsOf(`SELECT * FROM ${relation}`))
  }
  return columns
}

function fileRefusals(plan: Omit<TablePlan, 'refusals'>): readonly string[] {
  return [
    ...plan.files.flatMap(({ file, footer }) => footerProblems(file, footer)),
    ...missingRequired(plan),
    ...(plan.mode === 'register' ? unregistrable(plan.files) : []),
    ...hiddenPositions(plan),
    ...unreadable(plan),
  ]
}

function missingRequired({ columns, files }: Omit<TablePlan, 'refusals'>): readonly string[] {
  const required = new Set(columns.filter(({ nullable }) => !nullable).map(({ field }) => field.physicalName))
  return files.flatMap(({ file, missing, action }) =>
    action === 'skip'
      ? []
      : missing
          .filter((name) => required.has(name))
          .map((name) => `${file.uri} lacks the column ${name}, which may not be NULL`),
  )
}

function unregistrable(files: readonly FilePlan[]): readonly string[] {
  return files
    .filter(({ action }) => action === 'rewrite')
    .map(({ file, reasons }) => `${file.uri} can't be registered: ${reasons.join('; ')}`)
}

/** A rewrite leaves deleted rows out by their positions, which a column of that name hides. */
function hiddenPositions({ columns, files }: Omit<TablePlan, 'refusals'>): readonly string[] {
  if (!columns.some(({ field }) => field.physicalName.toLowerCase() === POSITION)) return []
  return files
    .filter(({ action, file }) => action === 'rewrite' && file.deletionVector !== null)
    .map(
      ({ file }) =>
        `${file.uri} has a deletion vector, and a column ${POSITION} that hides the positions of rows`,
    )
}

/** Files that would have to be rewritten and whose values nobody could read as the table's. */
function unreadable(plan: Omit<TablePlan, 'refusals'>): readonly string[] {
  const problems = new Map<string, string>()
  for (const [id, fileColumns] of plan.fileColumns) {
    try {
      selectedColumns(plan, fileColumns)
    } catch (error) {
      if (!(error instanceof NoConversion)) throw error
      problems.set(id, error.message)
    }
  }
  return plan.files.flatMap(({ file, footer, action }) => {
    const problem = action === 'rewrite' ? problems.get(footer.schema.id) : undefined
    return problem === undefined ? [] : [`${file.uri} can't be rewritten: ${problem}`]
  })
}
