import type { DataFile } from '../log/data-file.ts'
import type { Footer } from '../parquet/footers.ts'

/**
 * - `register`: DuckLake takes the file as it is;
 * - `register-and-delete`: the same, and the rows of its deletion vector are deleted;
 * - `rewrite`: its rows are written anew;
 * - `skip`: it has no rows.
 */
export type FileAction = 'register' | 'register-and-delete' | 'rewrite' | 'skip'

export interface FilePlan {
  readonly file: DataFile
  readonly footer: Footer
  readonly action: FileAction
  /** Why it can't be registered; empty for a file that is. */
  readonly reasons: readonly string[]
  /** Columns of the table that it lacks, by physical name. */
  readonly missing: readonly string[]
  /** Columns that it has and the table hasn't. */
  readonly extra: readonly string[]
}

export function liveRows({ file, footer }: FilePlan): number {
  return footer.rows - (file.deletionVector?.cardinality ?? 0)
}

export function isRegistered({ action }: FilePlan): boolean {
  return action === 'register' || action === 'register-and-delete'
}
