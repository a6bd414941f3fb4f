import { createHash } from 'node:crypto'
import { leastBytes } from '../row-bytes.ts'
import {
  type Cursor,
  DecimalText,
  type JsonValue,
  type Page,
  type ReadRequest,
  type Row,
  type Source,
} from '../source.ts'
import { within } from './deadline.ts'
import { problemsOfRow } from './row-shape.ts'

export interface RecordedPage {
  readonly cursor: Cursor
  readonly mark: JsonValue | undefined
  /** The place in the reading of the row that follows this page. */
  readonly end: number
  readonly rows: number
  /** What its rows take at least. */
  readonly bytes: number
  /** What the source says that they took. */
  readonly declaredBytes: number | undefined
}

/** A reading of a table, without its rows: of each a digest, its key, and its value of the incremental field. */
export interface Recording {
  readonly pages: readonly RecordedPage[]
  readonly digests: readonly string[]
  /** As JSON; empty where the table has no key. */
  readonly keys: readonly string[]
  /** Empty for a full read. */
  readonly fieldValues: readonly unknown[]
  readonly bytes: number
  /** Whether the source came to an end, and not the recorder. */
  readonly ended: boolean
  /** What is wrong with rows, with the place of the row. */
  readonly problems: readonly string[]
}

export interface RecordingBounds {
  readonly maxRows: number
  readonly maxBytes: number
  readonly pageTimeoutMs: number
}

const MAX_PROBLEMS = 5

/** Reads until the end or a bound. */
export async function record(
  source: Source,
  request: ReadRequest,
  { maxRows, maxBytes, pageTimeoutMs }: RecordingBounds,
): Promise<Recording> {
  const recorder = new Recorder(request)
  const pages = source.read(request)[Symbol.asyncIterator]()
  let ended = false
  try {
    while (!ended && recorder.rows < maxRows && recorder.bytes < maxBytes) {
      const next = await within(pages.next(), pageTimeoutMs)
      if (next === null) throw new Error(`No page came within ${pageTimeoutMs} ms.`)
      ended = next.done === true
      if (next.done !== true) recorder.add(next.value)
    }
  } finally {
    if (!ended) await pages.return?.()
  }
  return recorder.recording(ended)
}

class Recorder {
  readonly #request: ReadRequest
  readonly #pages: RecordedPage[] = []
  readonly #digests: string[] = []
  readonly #keys: string[] = []
  readonly #fieldValues: unknown[] = []
  readonly #problems: string[] = []
  #bytes = 0

  constructor(request: ReadRequest) {
    this.#request = request
  }

  get rows(): number {
    return this.#digests.length
  }

  get bytes(): number {
    return this.#bytes
  }

  add({ rows, cursor, mark, bytes }: Page): void {
    const before = this.#bytes
    for (const row of rows) this.#addRow(row)
    this.#pages.push({
      cursor,
      mark,
      end: this.rows,
      rows: rows.length,
      bytes: this.#bytes - before,
      declaredBytes: bytes,
    })
  }

  recording(ended: boolean): Recording {
    return {
      pages: this.#pages,
      digests: this.#digests,
      keys: this.#keys,
      fieldValues: this.#fieldValues,
      bytes: this.#bytes,
      ended,
      problems: this.#problems,
    }
  }

  #addRow(row: Row): void {
    const { table, incremental } = this.#request
    if (this.#problems.length < MAX_PROBLEMS)
      this.#problems.push(...problemsOfRow(table, row).map((problem) => `row ${this.rows}: ${problem}`))
    if (table.primaryKey.length > 0) this.#keys.push(textOf(table.primaryKey.map((name) => row[name])))
    if (incremental !== null) this.#fieldValues.push(row[incremental.field])
    this.#bytes += leastBytes(row)
    this.#digests.push(digestOf(row))
  }
}

/** Equal for rows with equal values, whatever the order of their columns; a missing value is a null. */
function digestOf(row: Row): string {
  const hash = createHash('sha1')
  for (const name of Object.keys(row).sort()) {
    const value = row[name]
    if (value === null || value === undefined) continue
    hash.update(JSON.stringify(name))
    if (value instanceof Uint8Array) hash.update('binary').update(value)
    else hash.update(textOf(value))
  }
  return hash.digest('base64').slice(0, 20)
}

/** JSON that differs where the type does. */
function textOf(value: unknown): string {
  return JSON.stringify(plain(value))
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return { integer: String(value) }
  if (typeof value !== 'object' || value === null) return value ?? null
  if (value instanceof Date) return { moment: value.getTime() }
  if (value instanceof DecimalText) return { decimal: value.text }
  if (value instanceof Uint8Array) return { binary: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
