import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { posix } from 'node:path'
import { z } from 'zod'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { identifier, literal } from '../../../platform/duckdb/sql.ts'
import { duckDbSqlOf } from '../../duckdb-sql.ts'
import type { ColumnSpec, TableSpec } from '../../schema.ts'
import type { BroughtRows } from './brought.ts'
import type { Job } from './jobs.ts'
import type { MergeContext } from './merge.ts'
import { FILE, storedFiles } from './stored-files.ts'
import type { Touched } from './touched.ts'

/** A file that was written, as the sidecar is told of it. */
export interface WrittenFile {
  /** Relative to the table, not encoded. */
  readonly path: string
  readonly bytes: number
  readonly rows: number
  readonly partition: string | null
  readonly columns: readonly {
    readonly name: string
    readonly least: string | null
    readonly greatest: string | null
    readonly nulls: number | null
  }[]
}

/** What all files of a merge are written from. */
export interface Rewrite extends MergeContext {
  readonly brought: BroughtRows
  readonly touched: Touched
}

const writtenSchema = z.object({
  count: z.bigint().transform(Number),
  file_size_bytes: z.bigint().transform(Number),
  column_statistics: z
    .array(z.object({ key: z.string(), value: z.array(z.object({ key: z.string(), value: z.string() })) }))
    .transform(
      (entries) =>
        new Map(entries.map(({ key, value }) => [key, new Map(value.map((fact) => [fact.key, fact.value]))])),
    ),
})

/** The path of the file that a job writes, beside the file that it replaces, or in its partition's folder. */
export function pathOf({ partition, files }: Job, { partitionBy }: TableSpec): string {
  const [first] = files
  const folder =
    first === undefined
      ? partitionFolder(partitionBy, partition.text)
      : posix.dirname(decodeURIComponent(first.path))
  return posix.join(folder, `lakeduel-${randomUUID()}.parquet`)
}

/** As other writers name it; Delta takes the value from the log alone. */
function partitionFolder(column: string | null, text: string | null): string {
  if (column === null) return '.'
  return `${encoded(column)}=${text === null ? '__HIVE_DEFAULT_PARTITION__' : encoded(text)}`
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/**
 * Streams the rows that stay and those of the batch to a new file: of the stored rows no more than a row group is held.
 * Null where nothing is left to write.
 */
export async function writeJob(
  session: DuckDbSession,
  rewrite: Rewrite,
  job: Job,
  path: string,
): Promise<WrittenFile | null> {
  const { uri, settings, duckDbSettings, statisticsColumns } = rewrite
  if (uri.startsWith('/')) await mkdir(posix.dirname(`${uri}/${path}`), { recursive: true })
  const options = [
    'FORMAT parquet',
    'COMPRESSION zstd',
    `COMPRESSION_LEVEL ${duckDbSettings.compressionLevel}`,
    `ROW_GROUP_SIZE ${settings.maxRowGroupRows}`,
    `ROW_GROUP_SIZE_BYTES '${settings.rowGroupPayloadBytes}B'`,
    'RETURN_STATS',
  ]
  const [written] = await session.query(
    writtenSchema,
    `COPY (${rowsOf(rewrite, job)}) TO ${literal(`${uri}/${path}`)} (${options.join(', ')})`,
  )
  if (written === undefined || written.count === 0) return null
  return {
    path,
    bytes: written.file_size_bytes,
    rows: written.count,
    partition: job.partition.text,
    columns: statisticsColumns.flatMap((name) => {
      const facts = written.column_statistics.get(identifier(name))
      if (facts === undefined) return []
      const nulls = facts.get('null_count')
      return {
        name,
        least: facts.get('min') ?? null,
        greatest: facts.get('max') ?? null,
        nulls: nulls === undefined ? null : Number(nulls),
      }
    }),
  }
}

function rowsOf({ spec, brought, touched }: Rewrite, { partition, files, takesBatch }: Job): string {
  // A partition's value is in the log, and not in the file.
  const columns = spec.columns.filter(({ name }) => name !== spec.partitionBy)
  const stored =
    files.length === 0
      ? []
      : [
          `SELECT ${projection(columns, 'stored')} FROM ${storedFiles(
            files.map((file) => file.uri),
            columns,
          )} AS stored
           ANTI JOIN (SELECT uri, row_number FROM ${touched.matches} JOIN ${touched.candidates} ON index = file_index WHERE file_index IN (${files.map(({ index }) => index).join(', ')})) AS matched
             ON matched.uri = stored.${FILE} AND matched.row_number = stored.file_row_number`,
        ]
  const rows = takesBatch ? brought.get(partition.index) : undefined
  const added = rows === undefined ? [] : [`SELECT ${projection(columns, 'batch')} FROM ${rows} AS batch`]
  return [...stored, ...added].join(' UNION ALL ')
}

function projection(columns: readonly ColumnSpec[], alias: string): string {
  return columns
    .map(
      ({ name, type }) => `CAST(${alias}.${identifier(name)} AS ${duckDbSqlOf(type)}) AS ${identifier(name)}`,
    )
    .join(', ')
}
