import { LAKE } from '../../backends/ducklake/catalog.ts'
import { literal, literalList } from '../../platform/duckdb/sql.ts'
import { uriOf } from '../../platform/endpoints.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { Lake } from '../lake/lake.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import { patternsFor } from '../parquet/patterns.ts'
import type { FilePlan } from '../plan/file-plan.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { FilesPlan } from '../plan/plan-files.ts'
import { POSITION } from '../rewrite/selection.ts'
import type { Ownership } from '../state/state.ts'
import { DELETED, type DeletedRows } from './deleted-rows.ts'

/** Where the catalog is to find the files: those of the Delta table itself, or copies of them. */
export interface RegisteredPlace {
  readonly uriOf: (file: Pick<FilePlan, 'file'>) => string
  /** Every file that lay beside them when the plan was made; empty to register each by its own path. */
  readonly present: readonly string[]
}

/**
 * Adds data files to the lake table as they are, in the open transaction, and deletes the rows that their deletion vectors
 * delete.
 * @returns the live rows of the files
 */
export async function registerFiles(
  lake: Lake,
  target: TableName,
  plan: Pick<FilesPlan, 'snapshot'>,
  files: readonly FilePlan[],
  place: RegisteredPlace,
  deleted: DeletedRows,
): Promise<number> {
  // Leniency is for exactly the files whose missing or additional columns the plan has explained.
  const groups = Map.groupBy(files, ({ missing, extra }) => `${missing.length > 0}/${extra.length > 0}`)
  for (const group of groups.values()) await addFiles(lake, target, plan, group, place)
  const physical = files.reduce((sum, { footer }) => sum + footer.rows, 0)
  return physical - (await deleteRows(lake, target, files, place, deleted))
}

async function addFiles(
  { session }: Lake,
  { schema, table }: TableName,
  { snapshot }: Pick<FilesPlan, 'snapshot'>,
  files: readonly FilePlan[],
  place: RegisteredPlace,
): Promise<void> {
  const [first] = files
  const patterns = patternsFor(files.map(place.uriOf), place.present, false)
  const options = [
    `schema => ${literal(schema)}`,
    // Else a folder of any parent that happens to be called key=value would override a column.
    `hive_partitioning => ${snapshot.table.partitionColumns.length > 0}`,
    ...(first !== undefined && first.missing.length > 0 ? ['allow_missing => true'] : []),
    ...(first !== undefined && first.extra.length > 0 ? ['ignore_extra_columns => true'] : []),
  ]
  const globs = literalList(patterns.map(({ glob }) => glob))
  await session.run(
    `CALL ducklake_add_data_files(${literal(LAKE)}, ${literal(table)}, ${globs}, ${options.join(', ')})`,
  )
}

async function deleteRows(
  { session }: Lake,
  target: TableName,
  files: readonly FilePlan[],
  place: RegisteredPlace,
  deleted: DeletedRows,
): Promise<number> {
  const withVectors = files.filter(({ action }) => action === 'register-and-delete')
  if (withVectors.length === 0) return 0
  const expected = await deleted.load(session, withVectors, place.uriOf)
  const names = withVectors.map((file) => literal(place.uriOf(file))).join(', ')
  const rows = await session.run(
    `DELETE FROM ${sqlName(target)} WHERE filename IN (${names})
       AND (filename, ${POSITION}) IN (SELECT file, position FROM ${DELETED})`,
  )
  if (rows === expected) return rows
  throw new LakeduelError(
    'ENGINE_FAILED',
    `DuckLake deleted ${rows} rows, and the deletion vectors have ${expected}.`,
    {
      facts: { rows, expected, files: withVectors.length },
      remedy: 'Move the table with --mode rewrite, which leaves deleted rows out.',
    },
  )
}

/**
 * The files where they are. Those that DuckLake will own are registered by their own paths: a pattern might hand over what was
 * written meanwhile, and DuckLake would then delete a file that only the Delta table needs.
 */
export function inPlace(
  { storage }: { readonly storage: Parameters<typeof uriOf>[0] },
  plan: TablePlan,
  ownership: Ownership,
): RegisteredPlace {
  const present = ownership === 'owned' ? [] : [...plan.present.keys()]
  return { uriOf: ({ file }) => file.uri, present: present.map((key) => uriOf(storage, key)) }
}
