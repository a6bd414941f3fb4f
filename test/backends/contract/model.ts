import type { ApplyMode } from '../../../backends/backend.ts'
import type { TableSpec } from '../../../backends/schema.ts'
import type { Row } from './rows.ts'
import { storedRow } from './rows.ts'

/** What the table must hold, kept in plain JavaScript: independent of every engine. */
export class TableModel {
  spec: TableSpec
  #rows: readonly Row[] = []

  constructor(spec: TableSpec) {
    this.spec = spec
  }

  get rows(): readonly Row[] {
    return this.#rows.map((row) => storedRow(this.spec, row))
  }

  apply(mode: ApplyMode, batch: readonly Row[]): void {
    const rows = batch.map((row) => storedRow(this.spec, row))
    if (mode === 'append') this.#rows = [...this.#rows, ...rows]
    if (mode === 'replace') this.#rows = rows
    if (mode === 'upsert') this.#rows = this.#upserted(rows)
    if (mode === 'insert') this.#rows = [...this.#rows, ...this.#without(this.#lastOfKeys(rows), this.#rows)]
    if (mode === 'delete') this.#rows = this.#without(this.#rows, rows)
  }

  /** A copy, for asking what the table would hold after another batch. */
  after(mode: ApplyMode, batch: readonly Row[]): TableModel {
    const copy = new TableModel(this.spec)
    copy.#rows = this.#rows
    copy.apply(mode, batch)
    return copy
  }

  #upserted(rows: readonly Row[]): readonly Row[] {
    return this.#lastOfKeys([...this.#rows, ...rows])
  }

  #lastOfKeys(rows: readonly Row[]): readonly Row[] {
    return [...new Map(rows.map((row) => [this.#keyOf(row), row])).values()]
  }

  #without(rows: readonly Row[], others: readonly Row[]): readonly Row[] {
    const keys = new Set(others.map((row) => this.#keyOf(row)))
    return rows.filter((row) => !keys.has(this.#keyOf(row)))
  }

  #keyOf(row: Row): string {
    return JSON.stringify(this.spec.primaryKey.map((column) => row[column] ?? null))
  }
}

/** Rows in an order that doesn't depend on how a table returns them. */
export function sorted(rows: readonly Row[]): readonly Row[] {
  return rows
    .map((row) => ({ row, text: JSON.stringify(row) }))
    .toSorted((left, right) => (left.text < right.text ? -1 : left.text > right.text ? 1 : 0))
    .map(({ row }) => row)
}
