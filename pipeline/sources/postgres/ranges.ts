/**
 * A table cut into pieces of a bounded size along its order, each of which is one part. Postgres finds where a piece ends
 * by counting entries of the index, and tells what its rows weigh before anyone reads them.
 */
import { z } from 'zod'
import type { JsonValue } from '../source.ts'
import type { PostgresConfig } from './config.ts'
import type { ReadConnection } from './connection.ts'
import { markOf, orderColumnsOf, type Position, type ReadOrder, whereOf } from './order.ts'
import type { PostgresTable, TableColumn } from './table.ts'
import { rowWidth } from './widths.ts'

export interface PieceLimits {
  readonly rows: number
  readonly payloadBytes: number
  /** Of a row group, which holds one of DuckDB's vectors at least. */
  readonly rowGroupPayloadBytes: number
}

/** Rows after a place, up to and with another, by the text forms of the order columns. */
export interface KeyRange {
  readonly position: Position
  readonly through: readonly string[]
}

export interface Piece extends KeyRange {
  /** As counted when it was cut; rows may have come and gone since. */
  readonly rows: number
  readonly payloadBytes: number
  readonly widestBytes: number
  /** The high-water mark as of its end. */
  readonly mark: JsonValue
}

/** `wide`: its next rows are too wide to be staged without handing them over. */
export type NextPiece = Piece | 'wide' | 'end'

/** DuckDB moves rows in vectors of as many, whatever they weigh. */
export const VECTOR_ROWS = 2_048
/** Pieces of fewer rows than this, for their width, aren't worth a file of their own. */
const MIN_ROWS = VECTOR_ROWS
const PROBE_ROWS = 10_000
/** The share of a limit that is aimed at, since the next rows weigh about what the last ones did. */
const ROOM = 0.95

interface Weight {
  readonly rows: number
  readonly bytes: number
  readonly widest: number
}

/** A table to be cut, and the columns of it that are read. */
interface Cuttable {
  readonly table: PostgresTable
  readonly columns: readonly TableColumn[]
  readonly order: ReadOrder
}

/** It owns the connection, which it uses alone. */
export class RangePlanner implements AsyncDisposable {
  readonly #connection: ReadConnection
  readonly #config: PostgresConfig
  readonly #table: PostgresTable
  readonly #columns: readonly TableColumn[]
  readonly #order: ReadOrder
  readonly #limits: PieceLimits
  #rowBytes: number | null = null

  constructor(
    connection: ReadConnection,
    config: PostgresConfig,
    { table, columns, order }: Cuttable,
    limits: PieceLimits,
  ) {
    this.#connection = connection
    this.#config = config
    this.#table = table
    this.#columns = columns
    this.#order = order
    this.#limits = limits
  }

  /** The piece that follows a position. Each is found in a transaction of its own, so that none lasts. */
  async next(position: Position): Promise<NextPiece> {
    await this.#connection.begin(this.#config)
    await this.#connection.set({ enable_sort: 'off' })
    const found = await this.#find(position)
    const isEndOfNulls = found === 'end' && position.phase === 'nulls'
    const next = isEndOfNulls ? await this.#find({ phase: 'values', after: null }) : found
    await this.#connection.client.query('ROLLBACK')
    return next
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }

  async #find(position: Position): Promise<NextPiece> {
    this.#rowBytes ??= await this.#probe(position)
    let rows = this.#fitting(this.#rowBytes)
    for (;;) {
      const through = await this.#cut(position, rows)
      if (through === null) return 'end'
      const weight = await this.#weigh({ position, through })
      const allowed = this.#allowedBytes(weight)
      if (weight.bytes <= allowed) return this.#pieceOf({ position, through }, weight)
      if (weight.rows <= MIN_ROWS) return 'wide'
      const fitting = Math.floor(Math.min(rows, weight.rows) * ROOM * (allowed / weight.bytes))
      rows = Math.max(fitting, MIN_ROWS)
    }
  }

  async #pieceOf(range: KeyRange, { rows, bytes, widest }: Weight): Promise<Piece> {
    this.#rowBytes = bytes / Math.max(1, rows)
    return { ...range, rows, payloadBytes: bytes, widestBytes: widest, mark: await this.#markOf(range) }
  }

  /** The last value, or the last finite one. */
  async #markOf(range: KeyRange): Promise<JsonValue> {
    if (range.position.phase === 'nulls') return markOf(this.#order, [])
    const mark = markOf(this.#order, range.through)
    const [field] = this.#order.columns
    if (mark !== null || !this.#order.incremental || field === undefined) return mark
    const { rows } = await this.#connection.client.query(
      `SELECT max(${field.sql})::text AS mark FROM ${this.#table.sql}${whereOf(this.#order, range)} AND isfinite(${field.sql})`,
    )
    return z.tuple([z.object({ mark: z.string().nullable() })]).parse(rows)[0].mark
  }

  /** About what the next rows weigh each. */
  async #probe(position: Position): Promise<number> {
    const through = await this.#cut(position, PROBE_ROWS)
    if (through === null) return 1
    const { bytes, rows } = await this.#weigh({ position, through })
    return bytes / Math.max(1, rows)
  }

  /** How many rows fill a piece if they are like those before. */
  #fitting(rowBytes: number): number {
    const rows = Math.floor((this.#limits.payloadBytes * ROOM) / Math.max(1, rowBytes))
    return Math.min(this.#limits.rows, Math.max(rows, MIN_ROWS))
  }

  /** Where a vector might get too heavy, the piece is kept so small that it is no heavier as a whole. */
  #allowedBytes({ widest }: Weight): number {
    const { payloadBytes, rowGroupPayloadBytes } = this.#limits
    return widest * VECTOR_ROWS <= rowGroupPayloadBytes
      ? payloadBytes
      : Math.min(payloadBytes, rowGroupPayloadBytes)
  }

  /** The key up to which there are so many rows, or the last one; null where there is none. */
  async #cut(position: Position, rows: number): Promise<readonly string[] | null> {
    return (
      (await this.#keyAt(position, '', `LIMIT 1 OFFSET ${rows - 1}`)) ??
      (await this.#keyAt(position, 'DESC', 'LIMIT 1'))
    )
  }

  async #keyAt(position: Position, direction: '' | 'DESC', limit: string): Promise<readonly string[] | null> {
    const columns = orderColumnsOf(this.#order, position.phase)
    const orderBy = columns.map(({ sql }) => `${sql} ${direction}`).join(', ')
    const clauses = `${whereOf(this.#order, { position, through: null })} ORDER BY ${orderBy} ${limit}`
    const { rows } = await this.#connection.client.query(
      `SELECT ARRAY[${columns.map(({ sql }) => `(${sql})::pg_catalog.text`).join(', ')}] AS key
       FROM ${this.#table.sql}${clauses}`,
    )
    const [row] = z.array(z.object({ key: z.array(z.string()) })).parse(rows)
    return row?.key ?? null
  }

  async #weigh(range: KeyRange): Promise<Weight> {
    const { rows } = await this.#connection.client.query(
      `SELECT count(*) AS rows, coalesce(sum(width), 0) AS bytes, coalesce(max(width), 0) AS widest
       FROM (SELECT ${rowWidth(this.#columns)} AS width FROM ${this.#table.sql}${whereOf(this.#order, range)}) AS rows`,
    )
    return weightSchema.parse(rows)[0]
  }
}

const count = z.coerce.number()
const weightSchema = z.tuple([z.object({ rows: count, bytes: count, widest: count })])
