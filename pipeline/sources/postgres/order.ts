/**
 * In which order a table is read, and how a cursor tells where that stood.
 *
 * - With a key: in the order of the key, or of the incremental field and then the key. The cursor is the values of the
 *   last row, by which any later process goes on (`WHERE (field, key) > (…)`). What is read before and after a cursor, and
 *   on either side of `transactionSeconds`, is read at different moments: a row that stays is met once, one that changes
 *   in between is met as it was or as it became.
 * - A stored table without a key: in the order of its file, in one transaction. The cursor is the place of the last row
 *   (`ctid`). Places hold while rows are only added, so a later process goes on only when the file is the same one and the
 *   server has counted no update and no delete since the read began. It counts with a delay of some seconds, anew after a
 *   restart, and not at all on a replica, where such a read can't be gone on with.
 * - A view without a key has no order that would hold: it is read in one transaction, and can't be gone on with.
 *   Naming its key in `keys` helps.
 *
 * Where the incremental field may be NULL, the first read (without a mark) starts with the rows where it is; reads from a
 * mark on leave them out.
 */
import pg from 'pg'
import { z } from 'zod'
import { LakeduelError } from '../../../platform/errors.ts'
import type { Cursor, JsonValue, ReadRequest } from '../source.ts'
import { type FileState, fileStateSchema } from './catalog.ts'
import { isIncremental } from './discover.ts'
import { hasIndexFor, type PostgresTable } from './table.ts'

/** A column that rows are ordered by, among them the place of a row in its file. */
export interface OrderColumn {
  readonly name: string
  readonly sql: string
  /** The type that a value of a cursor is cast to. */
  readonly declared: string
}

export interface ReadOrder {
  readonly columns: readonly OrderColumn[]
  /** Whether the first column is the incremental field. */
  readonly incremental: boolean
  /** The mark below all values of the field: what a row leaves whose value is NULL. */
  readonly lowestMark: string | null
  /** Whether the field may be NULL, so that rows where it is are read first. */
  readonly nullsFirst: boolean
  /** The mark to read from, in the text form of the field. */
  readonly since: string | null
  /** `file` is no order that is asked for, but the one that the rows lie in. */
  readonly kind: 'key' | 'file' | 'none'
  /** Whether an index yields it, so that reading may begin anew anywhere at no cost. */
  readonly indexed: boolean
}

const cursorSchema = z.union([
  z.strictObject({
    columns: z.array(z.string()).min(1),
    /** Text forms of the last row's values. The first is null where the incremental field is NULL. */
    after: z.array(z.string().nullable()).min(1),
    file: fileStateSchema.nullable(),
  }),
  z.strictObject({ unresumableRows: z.int() }),
])

/** Where to read from: after a row, or from the start of the rows without or with a value of the incremental field. */
export interface Position {
  readonly phase: 'nulls' | 'values'
  readonly after: readonly string[] | null
}

const PLACE: OrderColumn = { name: 'ctid', sql: 'ctid', declared: 'pg_catalog.tid' }

/** @throws LakeduelError `CONFIG_INVALID` for an incremental field that can't be one */
export function orderOf(table: PostgresTable, incremental: ReadRequest['incremental']): ReadOrder {
  const { relation, key } = table
  const lies = relation.kind === 'r' || relation.kind === 'm'
  const tieBreakers = key.length > 0 ? key.map((name) => orderColumn(table, name)) : lies ? [PLACE] : []
  const kind = key.length > 0 ? 'key' : lies && !relation.hasHeirs ? 'file' : 'none'
  if (incremental === null) {
    const indexed = key.length > 0 && hasIndexFor(relation, key)
    return {
      columns: tieBreakers,
      incremental: false,
      lowestMark: null,
      nullsFirst: false,
      since: null,
      kind,
      indexed,
    }
  }
  const field = table.columns.find((column) => column.name === incremental.field)
  if (field === undefined || !isIncremental(field)) throw badField(table, incremental.field)
  const since = sinceSchema.parse(incremental.since)
  return {
    columns: [orderColumn(table, field.name), ...tieBreakers.filter(({ name }) => name !== field.name)],
    incremental: true,
    lowestMark: LOWEST[field.mapping.type.kind] ?? null,
    nullsFirst: since === null && !field.catalog.notNull,
    since,
    kind,
    indexed: hasIndexFor(relation, [field.name]),
  }
}

const LOWEST: Readonly<Record<string, string>> = {
  int16: String(-(2 ** 15)),
  int32: String(-(2 ** 31)),
  int64: String(-(2n ** 63n)),
  date: '-infinity',
  timestamp: '-infinity',
  timestamptz: '-infinity',
}

const sinceSchema = z.union([z.string(), z.number().transform(String), z.null()])

function orderColumn(table: PostgresTable, name: string): OrderColumn {
  const column = table.relation.columns.find((one) => one.name === name)
  if (column !== undefined) return { name, sql: pg.escapeIdentifier(name), declared: column.declared }
  throw new LakeduelError('SCHEMA_MISMATCH', `Table ${table.name} has no column "${name}" any more.`, {
    facts: { table: table.name, column: name },
  })
}

/** The columns that rows are ordered by within a phase. */
export function orderColumnsOf(order: ReadOrder, phase: Position['phase']): readonly OrderColumn[] {
  return phase === 'nulls' ? order.columns.slice(1) : order.columns
}

/** The WHERE and ORDER BY that yield what follows a position, in order. */
export function clausesOf(order: ReadOrder, position: Position): string {
  const where = whereOf(order, { position, through: null })
  const columns = orderColumnsOf(order, position.phase)
  const isFileOrder = !order.incremental && order.kind !== 'key'
  if (isFileOrder || columns.length === 0) return where
  return `${where} ORDER BY ${columns.map(({ sql }) => sql).join(', ')}`
}

/** The WHERE of what follows a position, up to and with the row of a key where one is given. */
export function whereOf(
  order: ReadOrder,
  { position, through }: { readonly position: Position; readonly through: readonly string[] | null },
): string {
  const conditions = [...fieldConditions(order, position)]
  const columns = orderColumnsOf(order, position.phase)
  if (position.after !== null) conditions.push(comparison(columns, '>', position.after))
  if (through !== null) conditions.push(comparison(columns, '<=', through))
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
}

function fieldConditions(order: ReadOrder, { phase }: Position): readonly string[] {
  const [field] = order.columns
  if (!order.incremental || field === undefined) return []
  if (phase === 'nulls') return [`${field.sql} IS NULL`]
  if (order.since !== null) return [`${field.sql} >= ${pg.escapeLiteral(order.since)}::${field.declared}`]
  return order.nullsFirst ? [`${field.sql} IS NOT NULL`] : []
}

/** Compares the order columns as one value, which an index can answer. */
function comparison(
  columns: readonly OrderColumn[],
  operator: '>' | '<=',
  values: readonly string[],
): string {
  const literals = columns.map(
    ({ declared }, place) => `${pg.escapeLiteral(values[place] ?? '')}::${declared}`,
  )
  return `(${columns.map(({ sql }) => sql).join(', ')}) ${operator} (${literals.join(', ')})`
}

export function startOf(order: ReadOrder): Position {
  return { phase: order.nullsFirst ? 'nulls' : 'values', after: null }
}

/**
 * The cursor after a row, by the text forms of its order columns.
 * @param rows how many were read so far: all that a cursor tells where there is no order
 */
export function cursorAfter(
  order: ReadOrder,
  values: readonly (string | null)[],
  { file, rows }: { readonly file: FileState | null; readonly rows: number },
): Cursor {
  if (order.kind === 'none') return { unresumableRows: rows }
  return {
    columns: order.columns.map(({ name }) => name),
    after: [...values],
    file: file === null ? null : { ...file },
  }
}

/**
 * @param file what the file of the table went through until now
 * @throws LakeduelError `READ_NOT_RESUMABLE`
 */
export function positionOf(
  table: PostgresTable,
  order: ReadOrder,
  cursor: Cursor,
  file: FileState | null,
): Position {
  const parsed = cursorSchema.safeParse(cursor)
  if (!parsed.success) throw notResumable(table, 'the cursor is none of this source')
  if ('unresumableRows' in parsed.data)
    throw notResumable(table, 'it has no key, and rows of a view lie nowhere')
  const { columns, after } = parsed.data
  if (columns.join('\0') !== order.columns.map(({ name }) => name).join('\0'))
    throw notResumable(table, `it was read by ${columns.join(', ')}, which is not its order any more`)
  if (parsed.data.file !== null && !isSameFile(parsed.data.file, file))
    throw notResumable(table, 'it has no key, and rows were updated or deleted since the read began')
  const [first, ...rest] = after
  const known = rest.filter((value) => value !== null)
  return first === null
    ? { phase: 'nulls', after: known }
    : { phase: 'values', after: first === undefined ? known : [first, ...known] }
}

function isSameFile(then: FileState, now: FileState | null): boolean {
  return (
    now?.fileNode === then.fileNode &&
    now.updates === then.updates &&
    now.deletes === then.deletes &&
    now.countedSince === then.countedSince
  )
}

/** The mark that a row leaves, or null: an infinite one would keep all later rows out. */
export function markOf(order: ReadOrder, values: readonly (string | null)[]): JsonValue {
  if (!order.incremental) return null
  const value = values[0] ?? order.lowestMark
  return value === 'infinity' ? null : value
}

function badField({ name, columns }: PostgresTable, field: string): LakeduelError {
  const fields = columns.filter(isIncremental).map((column) => column.name)
  return new LakeduelError('CONFIG_INVALID', `Table ${name} can't be read incrementally by "${field}".`, {
    facts: { table: name, field, fields },
    remedy:
      fields.length === 0
        ? 'Read it in full: it has no timestamp, date or integer column.'
        : `Choose a timestamp, date or integer column of it: ${fields.join(', ')}.`,
  })
}

function notResumable({ name }: PostgresTable, reason: string): LakeduelError {
  return new LakeduelError(
    'READ_NOT_RESUMABLE',
    `The read of table ${name} can't be gone on with: ${reason}.`,
    {
      facts: { table: name },
      remedy:
        'Cancel the run and start another; to have it resumable, give the table a key, or name one in `keys`.',
    },
  )
}
