import type { StagedPart } from '../../backends/backend.ts'
import type { ColumnSpec } from '../../backends/schema.ts'
import type { Storage } from '../../platform/endpoints.ts'
import type { Cursor, JsonValue, Page } from '../sources/source.ts'
import { Batcher } from './batcher.ts'
import type { ExtractLimits } from './limits.ts'
import { RowBuffer } from './rows/row-buffer.ts'
import { openPartStore, type PartStore } from './staging/part-store.ts'
import { type StagedRows, StagingWriter } from './staging/staging-writer.ts'
import type { TablePlan } from './table-plan.ts'

export interface BatchStagerOptions {
  readonly plan: TablePlan
  readonly limits: ExtractLimits
  readonly storage: Storage
  /** A new key of the storage for each part. */
  readonly nextKey: () => string
}

/** How far the source was read. */
export interface Position {
  /** Of the last page; null where no page was added yet. */
  readonly cursor: Cursor
  readonly mark: JsonValue | undefined
  /** Pages so far, those without rows included. */
  readonly pages: number
}

/** What a batch became: its parts are in the store, and nothing else was changed anywhere. */
export interface FinishedBatch extends StagedRows {
  /** All columns of the table as of this batch. */
  readonly columns: readonly ColumnSpec[]
  readonly rows: number
  /** Compressed, as stored. */
  readonly bytes: number
  readonly payloadBytes: number
  /** Of the last page that lies whole in this batch and those before it; null where there is none. */
  readonly position: Position | null
  /**
   * Whether the batch ends with a page. Where it doesn't, the page is larger than a batch, and reading on from the position would
   * yield the page's first rows again.
   */
  readonly endsWithPage: boolean
}

/**
 * Makes batches of pages: pages go in, and whenever a batch is full it comes out, staged. At any time it holds the rows that
 * wait for their types to be settled (`bufferedBytes`), one row group, and what is on its way to the store.
 */
export class BatchStager implements AsyncDisposable {
  readonly #options: BatchStagerOptions
  readonly #store: PartStore
  readonly #batcher: Batcher
  #buffer: RowBuffer
  #writer: StagingWriter | null = null
  #writtenRows = 0
  #position: Position | null = null

  constructor(options: BatchStagerOptions) {
    this.#options = options
    this.#store = openPartStore(options.storage)
    this.#batcher = new Batcher(options.limits.batch)
    this.#buffer = new RowBuffer(options.plan.hints())
  }

  /** After the last page that was added, whether or not its rows are in a batch yet. */
  get position(): Position | null {
    return this.#position
  }

  /** Rows of the batch that is not finished yet. */
  get openRows(): number {
    return this.#writtenRows + this.#buffer.rows
  }

  /**
   * Adds a page, and returns the batches that it filled, in order: usually none or one, which then ends before the page.
   * After an error the stager is of no use any more.
   * @throws LakeduelError `SCHEMA_MISMATCH`, `BATCH_INVALID`, and what the storage fails with
   */
  async add(page: Page): Promise<readonly FinishedBatch[]> {
    if (this.#buffer.heldBytes + (page.bytes ?? 0) > this.#options.limits.bufferedBytes)
      await this.#write(this.#buffer.rows)
    const first = this.#buffer.rows
    for (const row of page.rows) this.#buffer.add(row)
    const finished: FinishedBatch[] = []
    let dropped = 0
    for (const { from, startsBatch } of this.#batcher.place(this.#buffer.payloadByRow.slice(first))) {
      if (!startsBatch) continue
      const rows = first + from - dropped
      finished.push(await this.#finish(rows, from === 0))
      dropped += rows
    }
    this.#position = { cursor: page.cursor, mark: page.mark, pages: (this.#position?.pages ?? 0) + 1 }
    if (this.#isFull()) await this.#write(this.#buffer.rows)
    return finished
  }

  /** Ends the batch that is open, whatever its size; null where it has no rows. */
  async finish(): Promise<FinishedBatch | null> {
    if (this.openRows === 0) return null
    this.#batcher.end()
    return this.#finish(this.#buffer.rows, true)
  }

  /** Breaks off what is on its way; parts that are done stay, and belong to no batch. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer?.abort()
    this.#store[Symbol.dispose]()
  }

  #isFull(): boolean {
    const { plan, limits } = this.#options
    if (this.#buffer.heldBytes >= limits.bufferedBytes) return true
    return plan.isDeclared && this.#buffer.heldBytes >= limits.parts.rowGroupPayloadBytes
  }

  /** Writes the first rows of the buffer. */
  async #write(rows: number): Promise<void> {
    if (rows === 0) return
    const { plan, storage, nextKey, limits } = this.#options
    this.#writer ??= new StagingWriter({ storage, store: this.#store, nextKey, limits: limits.parts })
    await this.#writer.add(plan.settle(this.#buffer), this.#buffer.payloadByRow, rows)
    this.#writtenRows += rows
    if (rows === this.#buffer.rows) this.#buffer = new RowBuffer(plan.hints())
    else this.#buffer.drop(rows)
  }

  /** The rows that were written and the first ones of the buffer, as a batch. */
  async #finish(rows: number, endsWithPage: boolean): Promise<FinishedBatch> {
    await this.#write(rows)
    const staged = await this.#writer?.close()
    const { parts = [], nulled = new Map() } = staged ?? {}
    const finished = {
      parts,
      nulled,
      columns: this.#options.plan.columns,
      rows: this.#writtenRows,
      bytes: sum(parts, ({ bytes }) => bytes),
      payloadBytes: sum(parts, ({ payloadBytes }) => payloadBytes),
      position: this.#position,
      endsWithPage,
    }
    this.#writer = null
    this.#writtenRows = 0
    return finished
  }
}

function sum(parts: readonly StagedPart[], of: (part: StagedPart) => number): number {
  return parts.reduce((total, part) => total + of(part), 0)
}
