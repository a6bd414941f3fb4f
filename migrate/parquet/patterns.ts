import { escapedGlob } from '../../platform/duckdb/sql.ts'

/** A pattern for DuckDB, with the wanted files that it stands for. */
export interface FilePattern {
  readonly glob: string
  readonly files: readonly WantedFile[]
}

export interface WantedFile {
  readonly uri: string
  /** The pattern that stands for it alone. */
  readonly glob: string
}

const PARQUET = '.parquet'

/**
 * Patterns for files, of as few requests as can be: a folder whose Parquet files are all wanted is listed as a whole, and
 * then DuckDB knows their sizes and asks for each footer only; a path by itself takes a request more.
 * @param present every file of the storage that may lie beside the wanted ones, by URI
 * @param mayExceed whether a pattern may match a few files that aren't wanted
 */
export function patternsFor(
  uris: readonly string[],
  present: Iterable<string>,
  mayExceed: boolean,
): readonly FilePattern[] {
  const parquetIn = new Map<string, number>()
  for (const uri of present) {
    if (uri.endsWith(PARQUET)) parquetIn.set(folderOf(uri), (parquetIn.get(folderOf(uri)) ?? 0) + 1)
  }
  const byFolder = Map.groupBy(uris, folderOf)
  return [...byFolder].flatMap(([folder, inFolder]) => {
    const files = inFolder.map((uri) => ({ uri, glob: escapedGlob(uri) }))
    const matched = parquetIn.get(folder) ?? 0
    const whole =
      files.length > 1 &&
      inFolder.every((uri) => uri.endsWith(PARQUET)) &&
      (matched === files.length || (mayExceed && matched < files.length * 2))
    return whole
      ? [{ glob: `${escapedGlob(folder)}*${PARQUET}`, files }]
      : files.map((file) => ({ glob: file.glob, files: [file] }))
  })
}

function folderOf(uri: string): string {
  return uri.slice(0, uri.lastIndexOf('/') + 1)
}
