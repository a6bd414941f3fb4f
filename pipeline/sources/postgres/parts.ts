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
import { cursorAfter, orderOf, positionOf, startOf } from './order.ts'
import { type NextPiece, type Piece, RangePlanner } from './ranges.ts'
import { ScannerPool, type ScanOptions } from './scanner.ts'
import { findTable, requestedColumns } from './table.ts'

/** Pieces that are staged at once, each by a connection of Postgres and a thread of DuckDB. */
const MAX_PIECES = 2

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
  const limits = {
    rows: target.partRows,
    payloadBytes: target.partPayloadBytes,
    rowGroupPayloadBytes: target.rowGroupPayloadBytes,
  }
  const planner = new RangePlanner(connection, config, scan, limits)
  const { order, table } = scan
  const start = request.resume === null ? startOf(order) : positionOf(table, order, request.resume, null)
  const first = await planner.next(start)
  if (first === 'wide') return null
  stack.move()
  const scanners = new ScannerPool(config, scan, Math.min(MAX_PIECES, target.environment.threads))
  return stagedPages({ request, scan, planner, scanners, first })
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
  readonly scanners: ScannerPool
  readonly first: NextPiece
}

/** While pieces are staged, Postgres finds the next one. Pages come in the order of the pieces. */
async function* stagedPages(staging: Staging): AsyncGenerator<StagedPage, void, void> {
  await using planner = staging.planner
  await using scanners = staging.scanners
  const { request, scan } = staging
  const columns = columnSpecs(scan)
  const underWay: { readonly piece: Piece; readonly part: Promise<StagedPart> }[] = []
  let next = staging.first
  for (;;) {
    while (typeof next === 'object' && underWay.length < scanners.size) {
      const part = scanners.stage(next)
      // Awaited below, in order; until then a failure must not count as unhandled.
      part.catch(() => undefined)
      underWay.push({ piece: next, part })
      next = await planner.next({ phase: next.position.phase, after: next.through })
    }
    const oldest = underWay.shift()
    if (oldest === undefined) break
    const part = await stagedPart(oldest, planner)
    request.signal.throwIfAborted()
    // Rows that were deleted meanwhile leave nothing to stage.
    if (part.rows > 0) yield pageOf(scan, columns, oldest.piece, part)
  }
  if (next === 'wide') throw widened(scan)
}

async function stagedPart(
  { piece, part }: { readonly piece: Piece; readonly part: Promise<StagedPart> },
  planner: RangePlanner,
): Promise<StagedPart> {
  try {
    return await part
  } catch (error) {
    // Where Postgres has the same trouble with its own connection, it tells it with a code and not in some language.
    await planner.next(piece.position)
    throw error
  }
}

function pageOf(
  { order }: ScanOptions,
  columns: readonly ColumnSpec[],
  { position, through, mark }: Piece,
  part: StagedPart,
): StagedPage {
  const values = position.phase === 'nulls' ? [null, ...through] : through
  const cursor = cursorAfter(order, values, { file: null, rows: part.rows })
  return { part, columns, cursor, ...(mark === null ? {} : { mark }) }
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
