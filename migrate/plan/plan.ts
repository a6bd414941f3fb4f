import { uriOf } from '../../platform/endpoints.ts'
import type { StoredObject } from '../../platform/storage/object-store.ts'
import { DeltaLog } from '../log/log.ts'
import { type DeltaSnapshot, readSnapshot } from '../log/snapshot.ts'
import type { DeltaSource } from '../source/source.ts'
import { missingFiles } from './check-files.ts'
import { type PlannedColumn, planColumns } from './columns.ts'
import type { Mode } from './decide.ts'
import { type Note, notesOn } from './notes.ts'
import { invalidPartitionValues } from './partition-values.ts'
import { type FilesPlan, planFiles } from './plan-files.ts'

/** What a migration of one version of a table will do. Making it writes nothing anywhere. */
export interface TablePlan extends FilesPlan {
  /** Every object below the table's folder, by its key. */
  readonly present: ReadonlyMap<string, StoredObject>
  readonly notes: readonly Note[]
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
  const draft = { present, notes: notesOn(snapshot) }
  const refusals = [...problems, ...missing, ...(await partitionProblems(source, snapshot, columns))]
  if (refusals.length > 0) {
    return {
      ...draft,
      snapshot,
      mode,
      columns,
      files: [],
      naming: 'logical',
      fileColumns: new Map(),
      refusals,
    }
  }
  const stored = [...present.keys()].map((key) => uriOf(source.storage, key))
  const { files } = snapshot
  return {
    ...draft,
    ...(await planFiles(source, { snapshot, columns, files, mode, present: stored, lookForNan })),
  }
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
