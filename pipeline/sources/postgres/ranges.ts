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
  /** In how many ranges a piece is cut, to be read at once. */
  readonly ranges: number
}

/** Rows after a place, up to and with another, by the text forms of the order columns. */
export interface KeyRange {
  readonly position: Position
  readonly through: readonly string[]
}

export interface Piece {
  readonly ranges: readonly KeyRange[]
  /** The last row's order values. */
  readonly through: readonly string[]
  /** As counted when it was cut; rows may have come and gone since. */
  readonly rows: number
  readonly payloadBytes: number
  readonly widestBytes: number
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
  next(position: Position): Promise<NextPiece> {
    return this.#inTransaction(() => this.#find(position))
  }

  /** The mark that a piece leaves: its last value, or its last finite one. */
  async markWithin(position: Position, piece: Piece): Promise<JsonValue> {
    if (position.phase === 'nulls') return markOf(this.#order, [])
    const mark = markOf(this.#order, piece.through)
    const [field] = this.#order.columns
    if (mark !== null || !this.#order.incremental || field === undefined) return mark
    const where = whereOf(this.#order, { position, through: piece.through })
    const { rows } = await this.#inTransaction(() =>
      this.#connection.client.query(
        `SELECT max(${field.sql})::text AS mark FROM ${this.#table.sql}${where} AND isfinite(${field.sql})`,
      ),
    )
    return z.tuple([z.object({ mark: z.string().nullable() })]).parse(rows)[0].mark
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }

  async #inTransaction<T>(action: () => Promise<T>): Promise<T> {
    await this.#connection.begin(this.#config)
    await this.#connection.set({ enable_sort: 'off' })
    const result = await action()
    await this.#connection.client.query('ROLLBACK')
    return result
  }

  async #find(position: Position): Promise<NextPiece> {
    this.#rowBytes ??= await this.#probe(position)
    let rows = this.#fitting(this.#rowBytes)
    for (;;) {
      const ranges = await this.#cut(position, rows)
      const last = ranges.at(-1)
      if (last === undefined) return 'end'
      const weight = await this.#weigh({ position, through: last.through })
      const allowed = this.#allowedBytes(weight)
      if (weight.bytes <= allowed) {
        this.#rowBytes = weight.bytes / Math.max(1, weight.rows)
        return {
          ranges,
          through: last.through,
          rows: weight.rows,
          payloadBytes: weight.bytes,
          widestBytes: weight.widest,
        }
      }
      if (weight.rows <= MIN_ROWS) return 'wide'
      const fitting = Math.floor(Math.min(rows, weight.rows) * ROOM * (allowed / weight.bytes))
      rows = Math.max(fitting, MIN_ROWS)
    }
  }

  /** About what the next rows weigh each. */
  async #probe(position: Position): Promise<number> {
    const ranges = await this.#cut(position, PROBE_ROWS)
    const last = ranges.at(-1)
    if (last === undefined) return 1
    const { bytes, rows } = await this.#weigh({ position, through: last.through })
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

  /** Ranges of together so many rows, or what there are. */
  async #cut(position: Position, rows: number): Promise<readonly KeyRange[]> {
    const ranges: KeyRange[] = []
    let from = position
    for (let left = rows, cuts = this.#limits.ranges; left > 0; cuts -= 1) {
      const share = Math.ceil(left / cuts)
      left -= share
      const through = await this.#nth(from, share)
      if (through !== null) {
        ranges.push({ position: from, through })
        from = { phase: position.phase, after: through }
        continue
      }
      const end = await this.#last(from)
      if (end !== null) ranges.push({ position: from, through: end })
      break
    }
    return ranges
  }

  #nth(position: Position, place: number): Promise<readonly string[] | null> {
    return this.#keyAt(position, '', `LIMIT 1 OFFSET ${place - 1}`)
  }

  #last(position: Position): Promise<readonly string[] | null> {
    return this.#keyAt(position, 'DESC', 'LIMIT 1')
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
