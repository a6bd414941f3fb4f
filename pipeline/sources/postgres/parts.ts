/**
 * The fast path: DuckDB reads ranges of the key with binary COPY and writes them as Parquet, so that no row crosses into
 * JavaScript. It is taken where the order has an index and the next rows are narrow, and yields the values that the row
 * path yields. Each part is read at its own moment, as the row path does after a cursor, and cursors of the two are the
 * same: where rows get too wide in the middle, the read fails as one to be tried again, and goes on row by row.
 */
import type { StagedPart } from '../../../backends/backend.ts'
import type { ColumnSpec } from '../../../backends/schema.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import type { PartTarget, ReadRequest, StagedPage } from '../source.ts'
import { serverEncoding } from './catalog.ts'
import type { PostgresConfig } from './config.ts'
import { ReadConnection } from './connection.ts'
import { cursorAfter, orderOf, type Position, positionOf, startOf } from './order.ts'
import { type NextPiece, type Piece, RangePlanner } from './ranges.ts'
import { PartScanner, type ScanOptions } from './scanner.ts'
import { findTable, requestedColumns } from './table.ts'

/** Ranges that are read at once, each by a connection of Postgres and a thread of DuckDB. */
const MAX_RANGES = 2

/** Null where the table can't be read so, or not from here. */
export async function stageParts(
  config: PostgresConfig,
  request: ReadRequest,
  target: PartTarget,
): Promise<AsyncIterable<StagedPage> | null> {
  if (config.fetch.path === 'rows') return null
  await using stack = new AsyncDisposableStack()
  const connection = stack.use(await ReadConnection.open(config, request.signal))
  const scan = await scanOf(connection, config, request, target)
  if (scan === null) return null
  const ranges = Math.min(MAX_RANGES, target.environment.threads)
  const limits = {
    rows: target.partRows,
    payloadBytes: target.partPayloadBytes,
    rowGroupPayloadBytes: target.rowGroupPayloadBytes,
    ranges,
  }
  const planner = new RangePlanner(connection, config, scan, limits)
  const { order, table } = scan
  const start = request.resume === null ? startOf(order) : positionOf(table, order, request.resume, null)
  const first = await planner.next(start)
  if (first === 'wide') return null
  const scanner = stack.use(await PartScanner.open(config, scan, ranges))
  stack.move()
  return stagedPages({ request, scan, planner, scanner, start, first })
}

/** What to read, or null where the two paths could differ or the order has to be sorted for. */
async function scanOf(
  connection: ReadConnection,
  config: PostgresConfig,
  request: ReadRequest,
  target: PartTarget,
): Promise<ScanOptions | null> {
  await connection.begin(config)
  const table = await findTable(connection.client, config, request.table.name)
  const columns = requestedColumns(table, request.table)
  const order = orderOf(table, request.incremental)
  const encoding = await serverEncoding(connection.client)
  await connection.client.query('ROLLBACK')
  const key = table.relation.columns.filter(({ name }) => table.key.includes(name))
  const isFit =
    order.kind === 'key' &&
    order.indexed &&
    // A row whose key is NULL lies in no range; the row path tells of it.
    key.every(({ notNull }) => notNull) &&
    // The scanner takes texts in the encoding of the database.
    encoding === 'UTF8'
  return isFit ? { table, columns, order, target } : null
}

interface Staging {
  readonly request: ReadRequest
  readonly scan: ScanOptions
  readonly planner: RangePlanner
  readonly scanner: PartScanner
  readonly start: Position
  readonly first: NextPiece
}

async function* stagedPages(staging: Staging): AsyncGenerator<StagedPage, void, void> {
  await using planner = staging.planner
  await using scanner = staging.scanner
  const { request, scan } = staging
  const columns = columnSpecs(scan)
  let position = staging.start
  let piece = staging.first
  for (;;) {
    if (piece === 'wide') throw widened(scan)
    if (piece === 'end') {
      if (position.phase === 'values') return
      position = { phase: 'values', after: null }
      piece = await planner.next(position)
      continue
    }
    const after: Position = { phase: position.phase, after: piece.through }
    const { part, next } = await stageWhilePlanning({ planner, scanner }, piece, after)
    request.signal.throwIfAborted()
    const mark = await planner.markWithin(position, piece)
    const values = position.phase === 'nulls' ? [null, ...piece.through] : piece.through
    // Rows that were deleted meanwhile leave nothing to stage.
    if (part.rows > 0)
      yield {
        part,
        columns,
        cursor: cursorAfter(scan.order, values, { file: null, rows: part.rows }),
        ...(mark === null ? {} : { mark }),
      }
    position = after
    piece = next
  }
}

/**
 * Stages a piece while Postgres finds the next one. Should that fail first, DuckDB still has to come to its end: closing
 * it in the middle of a statement crashes the process.
 */
async function stageWhilePlanning(
  { scanner, planner }: Pick<Staging, 'scanner' | 'planner'>,
  piece: Piece,
  after: Position,
): Promise<{ readonly part: StagedPart; readonly next: NextPiece }> {
  const [staged, planned] = await Promise.allSettled([scanner.stage(piece), planner.next(after)])
  // Where both fail it is for one reason, and Postgres tells it with a code, in whichever language it speaks.
  if (planned.status === 'rejected') throw planned.reason
  if (staged.status === 'rejected') throw staged.reason
  return { part: staged.value, next: planned.value }
}

function columnSpecs({ columns, target }: ScanOptions): readonly ColumnSpec[] {
  return columns.map(({ name, mapping, nullable }) => ({
    name: target.columnNames.get(name) ?? name,
    type: mapping.type,
    nullable,
  }))
}

function widened({ table: { name } }: ScanOptions): LakeduelError {
  return new LakeduelError('ROWS_WIDENED', `Rows of table ${name} get too wide to be staged by DuckDB.`, {
    facts: { table: name },
    remedy:
      "The read goes on row by row from the last cursor; set `fetch.path` to 'rows' to read all of it so.",
  })
}
