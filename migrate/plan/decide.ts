import type { DataFile } from '../log/data-file.ts'
import type { TableMetadata } from '../log/snapshot.ts'
import type { Footer } from '../parquet/footers.ts'
import type { FileAction, FilePlan } from './file-plan.ts'
import { pathProblems } from './partition-values.ts'
import { type ColumnFit, fitColumns } from './registrable.ts'
import { hasVariant } from './types.ts'

/** `auto` registers what can be registered exactly; `register` refuses the rest; `rewrite` writes everything anew. */
export const MODES = ['auto', 'register', 'rewrite'] as const
export type Mode = (typeof MODES)[number]

/** Names that DuckLake gives to what it knows of a row; a column of the name hides it, and then rows can't be deleted by it. */
const VIRTUAL_COLUMNS = new Set(['filename', 'file_row_number', 'rowid'])

/** Decides file by file; of files with one schema the columns are compared once. */
export class FileDecider {
  readonly #table: TableMetadata
  readonly #mode: Mode
  readonly #fits = new Map<string, ColumnFit>()

  constructor(table: TableMetadata, mode: Mode) {
    this.#table = table
    this.#mode = mode
  }

  decide(file: DataFile, footer: Footer): FilePlan {
    const fit = this.#fitOf(footer)
    const reasons = this.#mode === 'rewrite' ? ['a rewrite was asked for'] : this.#reasons(file, footer, fit)
    return {
      file,
      footer,
      action: actionOf(file, footer, reasons),
      reasons,
      missing: fit.missing,
      extra: fit.extra,
    }
  }

  #reasons(file: DataFile, footer: Footer, fit: ColumnFit): readonly string[] {
    return [
      ...(file.key === null ? ['it lies outside of the table, and may belong to another table, too'] : []),
      ...this.#tableReasons(file),
      ...fit.problems,
      ...signedBounds(footer),
      ...this.#pathReasons(file),
    ]
  }

  #tableReasons(file: DataFile): readonly string[] {
    const hidden = this.#table.columns.find(({ name }) => VIRTUAL_COLUMNS.has(name.toLowerCase()))
    const variant = this.#table.columns.find(({ type }) => hasVariant(type))
    return [
      ...(variant === undefined
        ? []
        : [`"${variant.name}" is a variant, and DuckLake takes no Parquet of another engine for one`]),
      ...(hidden === undefined || file.deletionVector === null
        ? []
        : [`it has a deletion vector, and column "${hidden.name}" hides what DuckLake deletes rows by`]),
    ]
  }

  #pathReasons(file: DataFile): readonly string[] {
    const { columns, partitionColumns } = this.#table
    // Without partitions, DuckLake is told not to look for any in paths.
    if (partitionColumns.length === 0) return []
    const partitions = columns.filter(({ name }) => partitionColumns.includes(name))
    const others = columns.filter(({ name }) => !partitionColumns.includes(name))
    return pathProblems(
      file,
      partitions,
      others.map(({ physicalName }) => physicalName),
    )
  }

  #fitOf({ schema }: Footer): ColumnFit {
    const known = this.#fits.get(schema.id)
    if (known !== undefined) return known
    const { columns, partitionColumns } = this.#table
    const inFiles = columns.filter(({ name }) => !partitionColumns.includes(name))
    const inPaths = columns.filter(({ name }) => partitionColumns.includes(name))
    const fit = fitColumns(
      inFiles,
      inPaths.map(({ physicalName }) => physicalName),
      schema.columns,
    )
    this.#fits.set(schema.id, fit)
    return fit
  }
}

function signedBounds({ statistics }: Footer): readonly string[] {
  return statistics.signedBounds.map(
    (path) => `the bounds of "${path}" order bytes by their sign, so that filters would miss rows`,
  )
}

function actionOf(file: DataFile, footer: Footer, reasons: readonly string[]): FileAction {
  if (footer.rows === 0) return 'skip'
  if (reasons.length > 0) return 'rewrite'
  return file.deletionVector === null ? 'register' : 'register-and-delete'
}
