import type { ResultColumn } from '../../platform/duckdb/session.ts'
import { escapedGlob, literal } from '../../platform/duckdb/sql.ts'
import type { DataFile } from '../log/data-file.ts'
import type { DeltaSnapshot } from '../log/snapshot.ts'
import { type Footer, FooterReader } from '../parquet/footers.ts'
import { patternsFor } from '../parquet/patterns.ts'
import type { DeltaSource } from '../source/source.ts'
import type { PlannedColumn } from './columns.ts'
import { FileDecider, type Mode } from './decide.ts'
import type { FilePlan } from './file-plan.ts'
import { fileRefusals } from './file-refusals.ts'
import { filesWithNan } from './nan-files.ts'
import type { Naming } from './types.ts'

/** What is to become of data files, and what reading them takes. */
export interface FilesPlan {
  readonly snapshot: DeltaSnapshot
  readonly mode: Mode
  readonly columns: readonly PlannedColumn[]
  readonly files: readonly FilePlan[]
  /** How the table that is filled spells its columns: registered files are found by the names that they have. */
  readonly naming: Naming
  /** The columns of each schema of which files are rewritten, as DuckDB reads them; by the schema's id. */
  readonly fileColumns: ReadonlyMap<string, readonly ResultColumn[]>
  /** Why some file can't be moved, as sentences; empty where all can. */
  readonly refusals: readonly string[]
}

export interface FilesToPlan {
  readonly snapshot: DeltaSnapshot
  readonly columns: readonly PlannedColumn[]
  readonly files: readonly DataFile[]
  readonly mode: Mode
  /** Every file that may lie beside them, by URI; empty where nobody has looked. */
  readonly present: readonly string[]
  /** Whether to read columns of floats for NaN. */
  readonly lookForNan: boolean
}

/** Reads the footers of data files, and decides for each. */
export async function planFiles(source: DeltaSource, wanted: FilesToPlan): Promise<FilesPlan> {
  const { snapshot, columns, mode } = wanted
  const decided = await decideFiles(source, wanted)
  const files = wanted.lookForNan ? await withoutNan(source, decided, wanted.present) : decided
  const fileColumns = await columnsOfRewritten(source, files)
  const made = { snapshot, mode, columns, files, naming: namingFor(files), fileColumns }
  return { ...made, refusals: fileRefusals(made) }
}

async function decideFiles(
  source: DeltaSource,
  { snapshot, files, mode, present }: FilesToPlan,
): Promise<readonly FilePlan[]> {
  const uris = files.map(({ uri }) => uri)
  const footers = await new FooterReader(source.session).read(patternsFor(uris, present, true))
  const decider = new FileDecider(snapshot.table, mode)
  return files.map((file) => {
    const footer = footers.get(file.uri)
    if (footer === undefined) throw new Error(`DuckDB read no footer of ${file.uri}`)
    return decider.decide(file, footer)
  })
}

async function withoutNan(
  { session }: DeltaSource,
  files: readonly FilePlan[],
  present: readonly string[],
): Promise<readonly FilePlan[]> {
  const found = await filesWithNan(session, files, present)
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
