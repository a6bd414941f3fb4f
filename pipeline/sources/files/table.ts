import type { SourceColumn, SourceTable } from '../source.ts'
import type { FileFormat, FilesConfig } from './config.ts'
import { readCsvHead } from './csv.ts'
import { typeOfTexts } from './csv-types.ts'
import { byAge, type DataFile } from './data-file.ts'
import { BadFile } from './errors.ts'
import type { FileStore } from './file-store.ts'
import { parseLocation, tableNameOf } from './location.ts'

export const FILE_COLUMN = '_file'
export const MODIFIED_COLUMN = '_file_modified_at'
export const ROW_COLUMN = '_row'

const FILE_COLUMNS: readonly SourceColumn[] = [
  { name: FILE_COLUMN, type: { kind: 'string' }, nullable: false },
  { name: MODIFIED_COLUMN, type: { kind: 'timestamptz' }, nullable: false },
  { name: ROW_COLUMN, type: { kind: 'int64' }, nullable: false },
]

const ENDINGS: readonly (readonly [format: FileFormat, ending: RegExp])[] = [
  ['parquet', /\.parquet$/i],
  ['ndjson', /\.(?:ndjson|jsonl|json)(?:\.gz)?$/i],
  ['csv', /\.(?:csv|tsv)(?:\.gz)?$/i],
]
/** CSV files that are looked at for columns and types: the oldest and the newest. */
const CSV_HEADS = 20

export interface FormattedFiles {
  readonly format: FileFormat
  readonly files: readonly DataFile[]
}

/**
 * The files of the table, and what they are.
 * @throws BadFile `no_files`, `mixed_formats`
 */
export function formatted({ format, location }: FilesConfig, listed: readonly DataFile[]): FormattedFiles {
  const known = listed.map((file) => ({ file, format: format === 'auto' ? formatOf(file.name) : format }))
  const found = known.filter((one) => one.format !== null)
  const [first] = found
  if (first?.format == null)
    throw new BadFile('no_files', `There are no files of a known format at ${location}.`)
  const other = found.find((one) => one.format !== first.format)
  if (other !== undefined)
    throw new BadFile(
      'mixed_formats',
      `${location} holds ${first.format} (${first.file.name}) as well as ${other.format} (${other.file.name}).`,
    )
  return { format: first.format, files: found.map(({ file }) => file).toSorted(byAge) }
}

function formatOf(name: string): FileFormat | null {
  return ENDINGS.find(([, ending]) => ending.test(name))?.[0] ?? null
}

/** @param own the columns of the files themselves; null where only the rows tell */
export function tableOf(config: FilesConfig, own: readonly SourceColumn[] | null): SourceTable {
  const { fileColumns, primaryKey } = config
  const names = new Set(FILE_COLUMNS.map(({ name }) => name))
  const columns = fileColumns
    ? [...(own ?? []).filter(({ name }) => !names.has(name)), ...FILE_COLUMNS]
    : (own ?? [])
  const key = primaryKey ?? (fileColumns ? [FILE_COLUMN, ROW_COLUMN] : [])
  return {
    name: config.table ?? tableNameOf(parseLocation(config.location)),
    columns: own === null ? null : columns,
    primaryKey: key,
    incremental: fileColumns ? [{ name: MODIFIED_COLUMN, order: 'ascending' }] : [],
    partition:
      key.length === 0 ? null : { mode: 'md5', columns: key.includes(FILE_COLUMN) ? [FILE_COLUMN] : key },
    parent: null,
    keysOnce: fileColumns && primaryKey === undefined,
    pagesAreDear: false,
    estimatedRows: null,
  }
}

/** The columns that some files name in their first lines, and the types that their first rows tell. */
export async function csvColumns(
  store: FileStore,
  files: readonly DataFile[],
  config: FilesConfig,
  signal: AbortSignal,
): Promise<readonly SourceColumn[]> {
  const half = CSV_HEADS / 2
  const some = files.length <= CSV_HEADS ? files : [...files.slice(0, half), ...files.slice(-half)]
  const values = new Map<string, (string | null)[]>()
  for (const file of some) {
    const head = await readCsvHead(store, file, config, signal)
    for (const [index, column] of head.columns.entries())
      values.set(column, [...(values.get(column) ?? []), ...head.rows.map((row) => row[index] ?? null)])
  }
  return [...values].map(([name, texts]) => ({
    name,
    type: config.csvTypes === 'text' ? { kind: 'string' } : typeOfTexts(texts),
    nullable: true,
  }))
}
