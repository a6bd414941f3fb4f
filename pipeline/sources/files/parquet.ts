import { z } from 'zod'
import { createS3Secret } from '../../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { literal, literalList } from '../../../platform/duckdb/sql.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { lakeduelHome } from '../../../platform/home.ts'
import type { S3Access } from '../../../platform/services/s3/client.ts'
import { duckdbExtensionsStep } from '../../../platform/setup/duckdb-extensions.ts'
import { rowBytes } from '../row-bytes.ts'
import type { SourceColumn } from '../source.ts'
import { parquetColumn } from './parquet-types.ts'
import { assertReadable, type ParquetFile } from './parquet-width.ts'
import type { PlacedRow, Position } from './position.ts'

/** Files whose footers are read for the columns; more of them add no column in practice, and each costs a request. */
const MAX_DESCRIBED = 500
const MEMORY_LIMIT = '512MB'

const describedSchema = z.object({ column_name: z.string(), column_type: z.string() })

/** One thread: rows come in their order anyway, and each more would hold a row group of its own. */
export async function openDuckDb(s3: S3Access | null): Promise<DuckDbSession> {
  const session = await DuckDbSession.open({
    extensionPaths: s3 === null ? {} : await extensionPaths(),
    extensions: s3 === null ? [] : ['httpfs'],
    settings: { threads: 1, memory_limit: MEMORY_LIMIT, TimeZone: 'UTC', enable_object_cache: true },
    secrets: s3 === null ? [] : [s3.secretAccessKey, s3.sessionToken ?? ''],
  })
  if (s3 !== null)
    await createS3Secret(session, {
      ...s3,
      origin: 'configured',
      version: '',
      putIfAbsent: false,
      metricsUrl: null,
    })
  return session
}

async function extensionPaths(): Promise<Readonly<Record<string, string>>> {
  const step = duckdbExtensionsStep(() => Promise.reject(new Error('nothing is made here')))
  const found = await step.find(lakeduelHome())
  if (found !== null) return found
  throw new LakeduelError(
    'TOOL_MISSING',
    'Parquet on S3 takes the DuckDB extension httpfs, which is not there yet.',
    {
      facts: { home: lakeduelHome() },
      remedy: 'Run `lakeduel doctor`, which tells what is missing; a benchmark or a sync sets it up.',
    },
  )
}

/** The columns of all files by name; a column that two files have with different types gets the one that DuckDB finds for both. */
export async function parquetColumns(
  session: DuckDbSession,
  uris: readonly string[],
): Promise<readonly SourceColumn[]> {
  const half = MAX_DESCRIBED / 2
  const some = uris.length <= MAX_DESCRIBED ? uris : [...uris.slice(0, half), ...uris.slice(-half)]
  if (some.length === 0) return []
  const described = await describe(session, literalList(some))
  return described.map(({ column_name, column_type }) => ({
    name: column_name,
    type: parquetColumn(column_type, column_name).type,
    nullable: true,
  }))
}

/** The rows of one file. */
export async function* readParquet(
  session: DuckDbSession,
  file: ParquetFile,
  { position, maxRowBytes }: { readonly position: Position; readonly maxRowBytes: number },
): AsyncIterable<Iterable<PlacedRow>> {
  const columns = await describe(session, literal(file.uri))
  const types = new Map(columns.map(({ column_name, column_type }) => [column_name, column_type]))
  await assertReadable(session, file, { types, fromRow: position.row, maxBytes: maxRowBytes })
  const values = columns.map(({ column_name, column_type }) => parquetColumn(column_type, column_name).sql)
  const hasNumberColumn = columns.some(({ column_name }) => column_name.toLowerCase() === 'file_row_number')
  // The filter skips whole row groups, which an offset does not; it can't be had where the file itself has that column.
  const rest = hasNumberColumn ? `OFFSET ${position.row}` : `WHERE file_row_number >= ${position.row}`
  const names = columns.map(({ column_name }) => column_name)
  const count = { row: position.row }
  for await (const rows of session.stream(
    `SELECT ${values.join(', ')} FROM ${scan(literal(file.uri))} ${rest}`,
  ))
    yield placed(rows, names, count)
}

function* placed(
  rows: Iterable<readonly unknown[]>,
  names: readonly string[],
  count: { row: number },
): Iterable<PlacedRow> {
  for (const values of rows) {
    const row: Record<string, unknown> = {}
    for (const [index, name] of names.entries()) {
      const value = values[index]
      // The bytes lie in memory that DuckDB takes back.
      row[name] = value instanceof Uint8Array ? Buffer.from(value) : value
    }
    count.row += 1
    yield { row, bytes: rowBytes(row), next: { byte: 0, line: 0, row: count.row } }
  }
}

function describe(session: DuckDbSession, uris: string) {
  return session.query(describedSchema, `DESCRIBE SELECT * FROM ${scan(uris)}`)
}

function scan(uris: string): string {
  return `read_parquet(${uris}, union_by_name = true, hive_partitioning = false)`
}
