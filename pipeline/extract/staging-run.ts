import type { StagedPart } from '../../backends/backend.ts'
import type { ColumnSpec } from '../../backends/schema.ts'
import type { Cursor, JsonValue } from '../sources/source.ts'
import type { Lease } from '../state/leases.ts'
import type { PartitionSpec } from '../state/model.ts'
import type { State } from '../state/store.ts'
import { namesToKeep, type ResumePoint, type TableMark } from './resume-point.ts'

/** A batch whose parts are uploaded. */
export interface UploadedBatch {
  readonly parts: readonly StagedPart[]
  readonly columns: readonly ColumnSpec[]
  readonly partition: PartitionSpec
  readonly names: ReadonlyMap<string, string>
  /** After the last page that is whole in a batch. */
  readonly cursor: Cursor
  /** Rows of the next page that are in a batch already. */
  readonly skipRows: number
  /** Pages of the run up to the cursor. */
  readonly pages: number
  readonly mark: JsonValue | undefined
}

export interface StagingRunOptions {
  readonly state: State
  readonly lease: Lease
  readonly from: ResumePoint
  /** The mark of the run so far, or else that of the table. */
  readonly mark: JsonValue
  /** Staged bytes that wait to be loaded, from which on staging pauses. */
  readonly maxStagedBytes: number
  readonly spooled: boolean
  readonly parents: ResumePoint['parents']
  readonly drain: AbortSignal
  /** Tells whether staging waits for loaders. */
  readonly onWaiting: (waiting: boolean) => void
}

/** Records the batches of a run, one after the other, and holds the extractor back when loaders can't keep up. */
export class StagingRun {
  readonly #options: StagingRunOptions
  #pages: number
  #mark: JsonValue
  #recorded = 0

  constructor(options: StagingRunOptions) {
    this.#options = options
    this.#pages = options.from.pages
    this.#mark = options.mark
  }

  /** Batches that this process has recorded. */
  get recorded(): number {
    return this.#recorded
  }

  /** @throws LakeduelError `LEASE_LOST`, `RUN_NOT_ACTIVE` */
  async record(batch: UploadedBatch): Promise<void> {
    await this.#waitForRoom()
    const { state, lease, spooled } = this.#options
    const names = namesToKeep(batch.names)
    this.#mark = batch.mark ?? this.#mark
    const { cursor, skipRows, pages } = batch
    const point: ResumePoint = { cursor, skipRows, pages, names, parents: this.#options.parents }
    const mark: TableMark = { mark: this.#mark, names }
    const sum = (of: (part: StagedPart) => number) => batch.parts.reduce((total, part) => total + of(part), 0)
    await state.extraction.stageBatch(lease, {
      record: {
        parts: [...batch.parts],
        columns: [...batch.columns],
        rows: sum(({ rows }) => rows),
        bytes: sum(({ bytes }) => bytes),
        payloadBytes: sum(({ payloadBytes }) => payloadBytes),
      },
      cursor: point,
      mark,
      partition: batch.partition,
      spooledThroughPage: spooled ? pages : 0,
      pages: pages - this.#pages,
    })
    this.#pages = pages
    this.#recorded += 1
  }

  /** When the extractor is to drain, what it has is recorded whatever waits before it. */
  async #waitForRoom(): Promise<void> {
    const { state, lease, maxStagedBytes, drain, onWaiting } = this.#options
    if (drain.aborted) return
    onWaiting(true)
    try {
      await state.runs.waitForRoom(lease.runId, { limitBytes: maxStagedBytes, signal: drain })
    } catch (error) {
      if (!drain.aborted) throw error
    } finally {
      onWaiting(false)
    }
  }
}
