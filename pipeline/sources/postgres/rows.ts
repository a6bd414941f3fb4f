import type { JsonValue, Page, ReadRequest } from '../source.ts'
import { type FileState, readFileState, serverEncoding } from './catalog.ts'
import type { PostgresConfig } from './config.ts'
import { ReadConnection } from './connection.ts'
import { explainLargeRow } from './large-row.ts'
import {
  clausesOf,
  cursorAfter,
  markOf,
  orderOf,
  type Position,
  positionOf,
  type ReadOrder,
  startOf,
} from './order.ts'
import { type Projection, projectionOf } from './projection.ts'
import { type RawRow, RowFeed } from './row-feed.ts'
import { findTable, type PostgresTable, requestedColumns } from './table.ts'

const CURSOR = 'lakeduel_rows'

/** A table as it is read in one transaction. */
interface Reading {
  readonly table: PostgresTable
  readonly order: ReadOrder
  readonly projection: Projection
  readonly position: Position
  /** What the file of a table without a key went through when the read began. */
  readonly file: FileState | null
}

/** How far a transaction came: to a place from which another one goes on, or to the end. */
type Progress = { readonly position: Position; readonly file: FileState | null } | 'end'

/** Pages in the order that `order.ts` describes. */
export async function* readRows(
  config: PostgresConfig,
  request: ReadRequest,
): AsyncGenerator<Page, void, void> {
  let progress: Progress | null = null
  try {
    while (progress !== 'end') progress = yield* readInTransaction(config, request, progress)
  } catch (error) {
    request.signal.throwIfAborted()
    throw error
  }
}

async function* readInTransaction(
  config: PostgresConfig,
  request: ReadRequest,
  from: Exclude<Progress, 'end'> | null,
): AsyncGenerator<Page, Progress, void> {
  await using connection = await ReadConnection.open(config, request.signal)
  const reading = await startReading(connection, config, request, from)
  using feed = new RowFeed(connection, CURSOR, {
    pageBytes: Math.min(config.fetch.pageBytes, request.limits.readAheadBytes),
    readAheadBytes: request.limits.readAheadBytes,
    pageRows: request.limits.pageRows,
    fetchRows: config.fetch.rows,
    maxRowBytes: request.limits.maxRowBytes,
  })
  const { file } = reading
  const lifetime = lifetimeOf(reading, config, () => connection.drop())
  let position = reading.position
  let rowCount = 0
  for (;;) {
    const rows = await nextRows(feed, config, { ...reading, position })
    request.signal.throwIfAborted()
    const last = rows.at(-1)
    if (last === undefined) break
    rowCount += rows.length
    const page = pageOf(reading, rows, { last, rowCount })
    position = positionAfter(reading, position, last)
    lifetime.watch()
    try {
      yield page
    } finally {
      lifetime.unwatch()
    }
    if (lifetime.isOver()) return { position, file }
  }
  return position.phase === 'nulls' ? { position: { phase: 'values', after: null }, file } : 'end'
}

interface Lifetime {
  /** Ends the transaction when its time is over: while a page is in use, for as long as that takes. */
  watch(): void
  unwatch(): void
  isOver(): boolean
}

/** Of a transaction, whose end costs nothing where another one can begin at the same place by an index. */
function lifetimeOf({ order }: Reading, config: PostgresConfig, end: () => void): Lifetime {
  const ends = order.kind === 'key' && order.indexed
  const endsAtMs = performance.now() + config.fetch.transactionSeconds * 1_000
  let timer: NodeJS.Timeout | undefined
  let ended = false
  const endNow = () => {
    ended = true
    end()
  }
  return {
    watch: () => {
      if (ends) timer = setTimeout(endNow, Math.max(endsAtMs - performance.now(), 0))
    },
    unwatch: () => clearTimeout(timer),
    isOver: () => ended || (ends && performance.now() >= endsAtMs),
  }
}

async function startReading(
  connection: ReadConnection,
  config: PostgresConfig,
  request: ReadRequest,
  from: Exclude<Progress, 'end'> | null,
): Promise<Reading> {
  await connection.begin(config)
  const { client } = connection
  const table = await findTable(client, config, request.table.name)
  const columns = requestedColumns(table, request.table)
  const promised = orderOf(table, request.incremental)
  const state = promised.kind === 'file' ? await readFileState(client, table.relation) : null
  const order = promised.kind === 'file' && state === null ? { ...promised, kind: 'none' as const } : promised
  const file = from?.file ?? state
  const position =
    from?.position ??
    (request.resume === null ? startOf(order) : positionOf(table, order, request.resume, file))
  const checksText = (await serverEncoding(client)) === 'SQL_ASCII'
  const projection = projectionOf({ table, columns, order: order.columns, checksText })
  await connection.set(planSettings(order))
  await client.query(
    `DECLARE ${CURSOR} NO SCROLL CURSOR FOR SELECT ${projection.sql} FROM ${table.sql}${clausesOf(order, position)}`,
  )
  return { table, order, projection, position, file }
}

/** Keeps the planner to what the order promises: an index that is there, or the file from its first page to its last. */
function planSettings(order: ReadOrder): Readonly<Record<string, string>> {
  if (order.kind === 'key' && order.indexed) return { enable_sort: 'off' }
  if (order.kind !== 'file' || order.incremental) return {}
  return {
    synchronize_seqscans: 'off',
    enable_indexscan: 'off',
    enable_indexonlyscan: 'off',
    enable_bitmapscan: 'off',
  }
}

async function nextRows(feed: RowFeed, config: PostgresConfig, reading: Reading): Promise<readonly RawRow[]> {
  try {
    return await feed.nextPage()
  } catch (error) {
    throw await explainLargeRow(error, config, reading)
  }
}

interface PlaceOfPage {
  readonly last: RawRow
  /** With the rows of this page. */
  readonly rowCount: number
}

function pageOf({ order, projection, file }: Reading, rows: readonly RawRow[], at: PlaceOfPage): Page {
  const mark = lastMark(order, projection, rows)
  return {
    rows: rows.map(({ values }) => projection.toRow(values)),
    cursor: cursorAfter(order, projection.orderValues(at.last.values), { file, rows: at.rowCount }),
    ...(mark === null ? {} : { mark }),
    bytes: rows.reduce((sum, row) => sum + row.bytes, 0),
  }
}

/** Of the last row that has one: at the end of the order there may be infinite values. */
function lastMark(order: ReadOrder, projection: Projection, rows: readonly RawRow[]): JsonValue {
  if (!order.incremental) return null
  for (const { values } of rows.toReversed()) {
    const mark = markOf(order, projection.orderValues(values))
    if (mark !== null) return mark
  }
  return null
}

function positionAfter({ projection }: Reading, { phase }: Position, last: RawRow): Position {
  const values = projection.orderValues(last.values)
  return { phase, after: (phase === 'nulls' ? values.slice(1) : values).map((value) => value ?? '') }
}
