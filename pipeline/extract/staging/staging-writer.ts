import type { StagedPart } from '../../../backends/backend.ts'
import type { ColumnSpec } from '../../../backends/schema.ts'
import { type Storage, uriOf } from '../../../platform/endpoints.ts'
import type { PartLimits } from '../limits.ts'
import type { SettledColumn } from '../table-plan.ts'
import { type ArrowRows, arrowRows } from './arrow-batch.ts'
import { TextRoom } from './layout.ts'
import type { PartStore } from './part-store.ts'
import { PartWriter } from './part-writer.ts'

export interface StagingTarget {
  readonly storage: Storage
  readonly store: PartStore
  /** A new key of the storage for each call. */
  readonly nextKey: () => string
  readonly limits: PartLimits
}

export interface StagedRows {
  readonly parts: readonly StagedPart[]
  /** Values that the lake can't hold and that became null (NaN, infinity, years beyond 9999), by column. */
  readonly nulled: ReadonlyMap<string, number>
}

/**
 * Writes the rows of a batch as parts, in their order. It holds one row group at a time; what is compressed goes to the store
 * at once.
 */
export class StagingWriter {
  readonly #target: StagingTarget
  readonly #parts: StagedPart[] = []
  readonly #nulled = new Map<string, number>()
  readonly #room = new TextRoom()
  #open: PartWriter | null = null

  constructor(target: StagingTarget) {
    this.#target = target
  }

  /**
   * @param payloadByRow about what each row takes, for the size of row groups
   * @param rows of the columns' cells, from the first
   * @throws LakeduelError `SCHEMA_MISMATCH`, `BATCH_INVALID`, and what the storage fails with
   */
  async add(columns: readonly SettledColumn[], payloadByRow: readonly number[], rows: number): Promise<void> {
    const { rowGroupPayloadBytes, rowGroupRows } = this.#target.limits
    let from = 0
    let bytes = 0
    for (let row = 0; row < rows; row += 1) {
      const rowBytes = payloadByRow[row] ?? 0
      if (row > from && (bytes + rowBytes > rowGroupPayloadBytes || row - from >= rowGroupRows)) {
        await this.#addRowGroup(columns, from, row)
        from = row
        bytes = 0
      }
      bytes += rowBytes
    }
    if (from < rows) await this.#addRowGroup(columns, from, rows)
  }

  async close(): Promise<StagedRows> {
    await this.#finishPart()
    return { parts: this.#parts, nulled: this.#nulled }
  }

  /** Gives up the part that is under way; those that are done are left to whoever clears the run's staging area. */
  async abort(): Promise<void> {
    await this.#open?.abort()
    this.#open = null
  }

  /** Rows that take more than was thought are halved until they fit. */
  async #addRowGroup(columns: readonly SettledColumn[], from: number, to: number): Promise<void> {
    const rows = await arrowRows(columns, from, to, this.#room)
    if (rows.payloadBytes > this.#target.limits.rowGroupPayloadBytes && to - from > 1) {
      this.#room.release()
      const middle = (from + to) >> 1
      await this.#addRowGroup(columns, from, middle)
      await this.#addRowGroup(columns, middle, to)
      return
    }
    const part = await this.#partFor(columns, rows)
    await part.add(rows)
    this.#room.release()
    for (const [name, count] of rows.nulled) this.#nulled.set(name, (this.#nulled.get(name) ?? 0) + count)
  }

  async #partFor(columns: readonly SettledColumn[], { payloadBytes }: ArrowRows): Promise<PartWriter> {
    const open = this.#open
    const { partPayloadBytes } = this.#target.limits
    if (
      open !== null &&
      open.payloadBytes + payloadBytes <= partPayloadBytes &&
      hasSameColumns(open.columns, columns)
    ) {
      return open
    }
    await this.#finishPart()
    const { storage, store, nextKey } = this.#target
    const key = nextKey()
    this.#open = new PartWriter(store, key, uriOf(storage, key), columns.map(specOf))
    return this.#open
  }

  async #finishPart(): Promise<void> {
    if (this.#open !== null) this.#parts.push(await this.#open.finish())
    this.#open = null
  }
}

function specOf({ name, type, nullable }: SettledColumn): ColumnSpec {
  return { name, type, nullable }
}

function hasSameColumns(columns: readonly ColumnSpec[], others: readonly SettledColumn[]): boolean {
  return JSON.stringify(columns) === JSON.stringify(others.map(specOf))
}
