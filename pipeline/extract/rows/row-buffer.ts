import type { LakeType } from '../../../backends/schema.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { DecimalText, type Row } from '../../sources/source.ts'
import { Observation } from '../types/observation.ts'
import { jsonText, Misfit, NestedText } from '../types/values.ts'
import { NULL_BYTES, overheadBytes, payloadBytes, widthOf } from './cell-bytes.ts'

/** What is known of a source's column when its first value comes. */
export interface ColumnHint {
  /** The type that its values are to have, or null where they are to tell. */
  readonly type: LakeType | null
  /** Whether nested values stay objects and lists; else they become text at once. */
  readonly keepsNested: boolean
}

interface BufferedColumn {
  readonly source: string
  /** A value for each row, null where there is none. */
  cells: unknown[]
  /** Null where the type is known, so that nothing has to be learnt from the values. */
  readonly seen: Observation | null
  readonly keepsNested: boolean
  readonly width: number | null
}

/** Rows on their way into parts, column by column: what was seen of their values, and what they take. */
export class RowBuffer {
  readonly #hintOf: (source: string) => ColumnHint
  readonly #columns: BufferedColumn[] = []
  readonly #bySource = new Map<string, BufferedColumn>()
  #payloadByRow: number[] = []
  #heldBytes = 0

  constructor(hintOf: (source: string) => ColumnHint) {
    this.#hintOf = hintOf
  }

  get rows(): number {
    return this.#payloadByRow.length
  }

  /** About what the rows take in this process. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The Arrow payload of each row, to within a tenth. */
  get payloadByRow(): readonly number[] {
    return this.#payloadByRow
  }

  /** All columns that had a value or a null, each with as many cells as there are rows. */
  columns(): readonly Readonly<BufferedColumn>[] {
    for (const { cells } of this.#columns) while (cells.length < this.rows) cells.push(null)
    return this.#columns
  }

  /** @throws LakeduelError `BATCH_INVALID` for a value that can't be stored in any type */
  add(row: Row): void {
    const index = this.rows
    let payload = 0
    let position = 0
    for (const source in row) {
      const column = this.#columnAt(position, source)
      const cell = take(row[source], column)
      while (column.cells.length < index) column.cells.push(null)
      column.cells.push(cell)
      const bytes = column.width ?? payloadBytes(cell)
      payload += bytes
      this.#heldBytes += bytes + overheadBytes(cell, bytes)
      position += 1
    }
    const absent = this.#columns.length - position
    this.#payloadByRow.push(payload + absent * NULL_BYTES)
  }

  /** Leaves out the first rows, but not all; what was seen of them stays. */
  drop(rows: number): void {
    this.#heldBytes *= 1 - rows / this.rows
    for (const column of this.#columns) column.cells = column.cells.slice(rows)
    this.#payloadByRow = this.#payloadByRow.slice(rows)
  }

  /** Rows usually have their columns in the same order, so that the column needn't be looked up. */
  #columnAt(position: number, source: string): BufferedColumn {
    const column = this.#columns[position]
    return column?.source === source ? column : (this.#bySource.get(source) ?? this.#addColumn(source))
  }

  #addColumn(source: string): BufferedColumn {
    const { type, keepsNested } = this.#hintOf(source)
    const seen = type === null ? new Observation() : null
    const column = { source, cells: [], seen, keepsNested, width: widthOf(type) }
    this.#columns.push(column)
    this.#bySource.set(source, column)
    return column
  }
}

/** The value as it is buffered, after it was looked at. */
function take(value: unknown, column: BufferedColumn): unknown {
  try {
    const cell = cellOf(value, column.keepsNested)
    column.seen?.add(cell)
    return cell
  } catch (error) {
    if (error instanceof Misfit) throw unstorable(column.source, error)
    throw error
  }
}

function cellOf(value: unknown, keepsNested: boolean): unknown {
  if (value === undefined) return null
  if (typeof value !== 'object' || value === null || keepsNested || isScalar(value)) return value
  return new NestedText(jsonText(value), Array.isArray(value))
}

function isScalar(value: object): boolean {
  return value instanceof Date || value instanceof Uint8Array || value instanceof DecimalText
}

function unstorable(column: string, misfit: Misfit): LakeduelError {
  return new LakeduelError('BATCH_INVALID', `A value of column ${column} ${misfit.message}.`, {
    facts: { column },
    remedy: 'Leave the column out at the source, or correct the value there.',
  })
}
