import pg from 'pg'
import { z } from 'zod'
import { LakeduelError } from '../../../platform/errors.ts'
import type { PostgresConfig } from './config.ts'
import { ReadConnection } from './connection.ts'
import { clausesOf, type Position, type ReadOrder } from './order.ts'
import { OversizedRow } from './row-feed.ts'
import type { PostgresTable, TableColumn } from './table.ts'

/** What Postgres says of a row that it can't even write: its texts and its messages end at 1 GiB. */
const PROGRAM_LIMIT_EXCEEDED = '54000'
const TOO_LARGE_TO_ALLOCATE =
  /invalid memory alloc request size|cannot enlarge string buffer|exceeds maximum allowed length/

interface Place {
  readonly table: PostgresTable
  readonly order: ReadOrder
  /** Behind which the row lies. */
  readonly position: Position
}

/**
 * An error that names the row and its widest column, where a row was too large for us or for Postgres; else the error as
 * it was.
 */
export async function explainLargeRow(
  cause: unknown,
  config: PostgresConfig,
  place: Place,
): Promise<unknown> {
  if (!isTooLarge(cause)) return cause
  const found = await findRow(config, place)
  const { table } = place
  const bytes = cause instanceof OversizedRow ? cause.rowBytes : found?.bytes
  const key = found?.key ?? null
  const where = key === null ? 'one of the next rows' : `the row with ${key}`
  const column = found?.column ?? null
  const widest = column === null ? '' : `, most of it in column "${column}"`
  const size = bytes === undefined ? 'more than may be read' : `${Math.ceil(bytes / 1024 ** 2)} MiB`
  return new LakeduelError(
    'ROW_TOO_LARGE',
    `In table ${table.name}, ${where} has ${size} as text${widest}.`,
    {
      facts: { table: table.name, key, bytes: bytes ?? null, column },
      remedy: `Give the extractor more memory, up to rows of 512 MiB (256 MiB of bytea, which doubles as text); or leave the column out with \`excludeColumns\`, as in { "${table.name}": ["${column ?? 'column'}"] }, or take the row out of a view and read that.`,
      cause,
    },
  )
}

function isTooLarge(error: unknown): boolean {
  if (error instanceof OversizedRow) return true
  if (!(error instanceof pg.DatabaseError)) return false
  return error.code === PROGRAM_LIMIT_EXCEEDED || TOO_LARGE_TO_ALLOCATE.test(error.message)
}

const rowSchema = z.tuple([
  z.object({ key: z.array(z.string().nullable()), widths: z.array(z.coerce.number().nullable()) }),
])

interface FoundRow {
  readonly key: string | null
  readonly column: string | null
  readonly bytes: number
}

/** Looks at the row without reading its values; null where that fails, too. */
async function findRow(config: PostgresConfig, place: Place): Promise<FoundRow | null> {
  try {
    return await measureRow(config, place)
  } catch {
    return null
  }
}

async function measureRow(config: PostgresConfig, { table, order, position }: Place): Promise<FoundRow> {
  await using connection = await ReadConnection.open(config, null)
  await connection.begin(config)
  const key = order.columns.map(({ sql }) => `(${sql})::text`)
  const { rows } = await connection.client.query(
    `SELECT ARRAY[${key.join(', ')}]::text[] AS key, ARRAY[${table.columns.map(storedWidth).join(', ')}]::int8[] AS widths
     FROM ${table.sql}${clausesOf(order, position)} LIMIT 1`,
  )
  const [row] = rowSchema.parse(rows)
  const widths = row.widths.map((width) => width ?? 0)
  const bytes = Math.max(...widths)
  return {
    key:
      key.length === 0
        ? null
        : order.columns.map(({ name }, at) => `${name} = ${row.key[at] ?? 'NULL'}`).join(', '),
    column: table.columns[widths.indexOf(bytes)]?.name ?? null,
    bytes,
  }
}

/** In the text that we would be sent, where that is known without making it; else as it is stored. */
function storedWidth({ name, catalog, mapping }: TableColumn): string {
  const column = pg.escapeIdentifier(name)
  if (mapping.type.kind === 'binary') return `octet_length(${column}) * 2::int8`
  if (['text', 'varchar', 'json'].includes(catalog.base)) return `octet_length(${column}::text)`
  return `pg_column_size(${column})`
}
