import pg from 'pg'
import { LakeduelError } from '../../../platform/errors.ts'
import type { Row } from '../source.ts'
import type { OrderColumn } from './order.ts'
import type { PostgresTable, TableColumn } from './table.ts'

/** What is selected of a table, and what its text becomes. */
export interface Projection {
  /** The expressions of a SELECT. */
  readonly sql: string
  toRow(values: readonly (string | null)[]): Row
  /** The text forms of the order columns' values. */
  orderValues(values: readonly (string | null)[]): readonly (string | null)[]
}

export interface ProjectionOptions {
  readonly table: PostgresTable
  readonly columns: readonly TableColumn[]
  readonly order: readonly OrderColumn[]
  /** Whether the server may hold bytes that are no UTF-8, and has to check them. */
  readonly checksText: boolean
}

export function projectionOf({ table, columns, order, checksText }: ProjectionOptions): Projection {
  const selected = columns.map((column) => {
    const sql = column.mapping.rowSql(pg.escapeIdentifier(column.name))
    return checksText ? checkedText(column, sql) : sql
  })
  const places = order.map(({ sql }) => {
    const at = selected.indexOf(sql)
    return at === -1 ? selected.push(sql) - 1 : at
  })
  // Made by fromEntries and then copied, so that a column called `__proto__` is a column.
  const empty: Record<string, unknown> = Object.fromEntries(columns.map(({ name }) => [name, null]))
  const parsers = columns.map(({ name, mapping }) => ({ name, parse: mapping.parse }))
  const keys = parsers.map(({ name }) => table.key.includes(name))
  return {
    sql: selected.join(', '),
    toRow: (values) => {
      const row = { ...empty }
      for (const [at, { name, parse }] of parsers.entries()) {
        const text = values[at]
        if (text !== null && text !== undefined) row[name] = parse(text)
        if (keys[at] === true && row[name] === null) throw keyIsNull(table, name)
      }
      return row
    },
    orderValues: (values) => places.map((at) => values[at] ?? null),
  }
}

/** A database with the encoding SQL_ASCII takes any bytes: a text that isn't UTF-8 fails there, and not as � here. */
function checkedText({ mapping }: TableColumn, sql: string): string {
  const { kind } = mapping.type
  if (kind !== 'string' && kind !== 'json') return sql
  return `pg_catalog.convert_from(pg_catalog.convert_to((${sql})::text, 'SQL_ASCII'), 'UTF8')`
}

function keyIsNull({ name }: PostgresTable, column: string): LakeduelError {
  return new LakeduelError('KEY_NULL', `The key column "${column}" of table ${name} is NULL in a row.`, {
    facts: { table: name, column },
    remedy:
      'Name other columns in `keys`, or correct the row; infinite dates and NaN count as NULL, since the lake has neither.',
  })
}
