import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { ReadConnection } from './connection.ts'
import { FetchSizer } from './fetch-sizer.ts'
import { WireMeter } from './wire-meter.ts'

/** A row as Postgres wrote it: its values in the order of the SELECT. */
export interface RawRow {
  readonly values: readonly (string | null)[]
  /** On the wire. */
  readonly bytes: number
  /** In memory, about: what V8 adds to a row and to each value counts, or narrow rows would take many times their bytes. */
  readonly heldBytes: number
}

export interface FeedLimits {
  /** Of a page, as held in memory; a larger row makes a page of its own. */
  readonly pageBytes: number
  readonly readAheadBytes: number
  readonly pageRows: number
  /** Of one FETCH. */
  readonly fetchRows: number
  readonly maxRowBytes: number
}

const ROW_OVERHEAD_BYTES = 64
const VALUE_OVERHEAD_BYTES = 48

/** A row that is larger than may be held, told by its header; nothing of it was kept. */
export class OversizedRow extends Error {
  override readonly name = 'OversizedRow'
  readonly rowBytes: number

  constructor(rowBytes: number) {
    super(`a row of ${rowBytes} bytes`)
    this.rowBytes = rowBytes
  }
}

const AS_TEXT: pg.CustomTypesConfig = { getTypeParser: () => (text: string) => text }

/**
 * The rows of a server-side cursor, page by page. When a page is full it stops reading from the connection, even within a
 * FETCH, so that what it holds is a page, what was in one chunk of the socket, and at most one row more.
 */
export class RowFeed implements Disposable {
  readonly #connection: ReadConnection
  readonly #stream: Duplex
  readonly #cursor: string
  readonly #limits: FeedLimits
  readonly #sizer: FetchSizer
  readonly #meter: WireMeter
  readonly #onChunk: (chunk: Buffer) => void
  #pending: RawRow[] = []
  #pendingBytes = 0
  #isFetching = false
  #isExhausted = false
  #failure: { readonly reason: unknown } | null = null
  #wake: () => void = () => undefined

  /** @param cursor its name, as SQL writes it; the connection must be idle */
  constructor(connection: ReadConnection, cursor: string, limits: FeedLimits) {
    this.#connection = connection
    this.#stream = connection.stream
    this.#cursor = cursor
    this.#limits = limits
    this.#sizer = new FetchSizer({ ...limits, rows: Math.min(limits.pageRows, limits.fetchRows) })
    this.#meter = new WireMeter(limits.maxRowBytes, (bytes) => this.#fail(new OversizedRow(bytes)))
    this.#onChunk = (chunk) => this.#meter.follow(chunk)
    this.#stream.prependListener('data', this.#onChunk)
  }

  /**
   * The next rows, or none at the end of the cursor. Rows that came before a failure are handed over before it.
   * @throws {@link OversizedRow} and what `pg` says, also of a connection that was dropped
   */
  async nextPage(): Promise<readonly RawRow[]> {
    const rows = await this.#collect()
    this.#fetchAhead()
    return rows
  }

  [Symbol.dispose](): void {
    this.#stream.off('data', this.#onChunk)
    this.#stream.resume()
  }

  async #collect(): Promise<readonly RawRow[]> {
    for (;;) {
      if (this.#failure !== null && this.#pending.length === 0) throw this.#failure.reason
      if (this.#failure !== null || this.#isFull() || this.#isExhausted) return this.#takePage()
      if (!this.#isFetching) {
        if (this.#pending.length > 0) return this.#takePage()
        this.#fetch()
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      this.#stream.resume()
      await promise
    }
  }

  /** While a page is in use, the server makes the next one: it goes as far as the buffers of the two sockets reach. */
  #fetchAhead(): void {
    this.#stream.pause()
    if (this.#pending.length === 0 && !this.#isFetching && !this.#isExhausted) this.#fetch()
  }

  #fetch(): void {
    const rows = this.#sizer.nextRows()
    let received = 0
    this.#meter.forgetRows()
    this.#isFetching = true
    const fetch: pg.QueryArrayConfig = {
      text: `FETCH FORWARD ${rows} FROM ${this.#cursor}`,
      rowMode: 'array',
      types: AS_TEXT,
    }
    const query = new pg.Query(fetch)
    query.on('row', (values) => {
      received += 1
      this.#add(Array.isArray(values) ? values : [])
    })
    query.once('end', () => {
      this.#isFetching = false
      this.#isExhausted = received < rows
      this.#wake()
    })
    query.once('error', (error: unknown) => this.#fail(error))
    this.#connection.client.query(query)
  }

  #add(values: readonly (string | null)[]): void {
    const bytes = this.#meter.takeRowBytes()
    const heldBytes = bytes + ROW_OVERHEAD_BYTES + VALUE_OVERHEAD_BYTES * values.length
    this.#sizer.observe(heldBytes)
    this.#pending.push({ values, bytes, heldBytes })
    this.#pendingBytes += heldBytes
    if (!this.#isFull()) return
    this.#stream.pause()
    this.#wake()
  }

  #isFull(): boolean {
    return this.#pendingBytes >= this.#limits.pageBytes || this.#pending.length >= this.#limits.pageRows
  }

  #takePage(): readonly RawRow[] {
    let rows = 0
    let bytes = 0
    for (const row of this.#pending) {
      if (rows >= this.#limits.pageRows || (rows > 0 && bytes + row.heldBytes > this.#limits.pageBytes)) break
      rows += 1
      bytes += row.heldBytes
    }
    this.#pendingBytes -= bytes
    return this.#pending.splice(0, rows)
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#stream.destroy()
    this.#wake()
  }
}
