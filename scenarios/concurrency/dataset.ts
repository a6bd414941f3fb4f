import type { ApplyMode } from '../../backends/backend.ts'
import type { TableSpec } from '../../backends/schema.ts'
import { column } from '../data/column.ts'
import { hex, oneOf } from '../data/mix.ts'
import { slices } from '../data/slices.ts'
import type { BatchPlan, Dataset, Slice } from '../scenario.ts'

/** What all writers do at once. */
export const OPERATIONS = [
  'append',
  'insert-only',
  'upsert-existing',
  'upsert-same-new',
  'delete',
  'compaction-beside',
] as const
export type Operation = (typeof OPERATIONS)[number]

/** Where they do it. */
export const TARGETS = ['same-partition', 'own-partition', 'own-table'] as const
export type Target = (typeof TARGETS)[number]

export const MODES: Readonly<Record<Operation, ApplyMode>> = {
  append: 'append',
  'insert-only': 'insert',
  'upsert-existing': 'upsert',
  'upsert-same-new': 'upsert',
  delete: 'delete',
  'compaction-beside': 'upsert',
}

export interface Shape {
  readonly operation: Operation
  readonly target: Target
  readonly writers: number
  /** Of each writer. */
  readonly batches: number
  /** Rows of a batch, an even number. */
  readonly batchRows: number
  /** Rows that are stored of each writer before, at least those of all its batches. */
  readonly storedRows: number
  /** The writers that rows are stored for, so that the table is the same however many there are. */
  readonly places: number
  readonly seed: number
}

const ROWS_PER_SLICE = 200_000
/** At most so many keys are looked up: the first of each batch, or of some of them. */
const MAX_PROBES = 48

export const TABLE: TableSpec = {
  name: 'events',
  columns: [
    column('id', { kind: 'int64' }),
    column('bucket', { kind: 'string' }),
    column('version', { kind: 'int32' }),
    column('status', { kind: 'string' }),
    column('note', { kind: 'string' }),
  ],
  primaryKey: ['id'],
  partitionBy: 'bucket',
}

export function ownTable(writer: number): TableSpec {
  return { ...TABLE, name: `events_${writer}` }
}

export function partitionOf(target: Target, writer: number): string {
  return target === 'own-partition' ? `p${String(writer).padStart(3, '0')}` : 'p000'
}

/**
 * The rows that are there before: none for appends, whose first files are what two of them may get wrong together. Where
 * each writer has a table of its own, it seeds that itself, by the batch of its number.
 */
export function storedDataset(shape: Shape): Dataset {
  const { target, places } = shape
  const inTables = target === 'own-table'
  const seeds = Array.from({ length: places }, (_, place) => [storedRowsOf(shape, place)])
  return {
    ...QUERIES,
    initial: inTables ? [] : seeds,
    batches: inTables ? seeds : [],
    expected: seeds.flat(2),
    probes: [],
  }
}

/** The batches of all writers, one writer after the other, and what is stored in the end, in all tables together. */
export function changes(shape: Shape): Dataset {
  const expected = expectedRows(shape)
  return {
    ...QUERIES,
    initial: [],
    batches: Array.from({ length: shape.writers * shape.batches }, (_, index) =>
      batchOf(shape, Math.floor(index / shape.batches), index % shape.batches),
    ),
    expected,
    probes: probesOf(shape),
  }
}

const QUERIES = {
  table: TABLE,
  readQuery: {
    beforeRelation: 'SELECT bucket, status, count(*), max(version) FROM ',
    afterRelation: ' GROUP BY ALL ORDER BY ALL',
  },
}

/** Those of one writer, whose keys follow those of the writer before. */
function storedRowsOf(shape: Shape, place: number): readonly Slice[] {
  return ranged(shape, place * shape.storedRows, (place + 1) * shape.storedRows, 0, place)
}

function batchOf(shape: Shape, writer: number, index: number): BatchPlan {
  const { operation, batchRows } = shape
  const half = batchRows / 2
  const stored = storedCount(shape)
  const fresh = (rows: number) => stored + slotOf(shape, writer, index) * rows
  const own = (rows: number) => writer * shape.storedRows + index * rows
  switch (operation) {
    case 'append':
      return [ranged(shape, fresh(batchRows), fresh(batchRows) + batchRows, 1, writer)]
    case 'insert-only':
      return [
        [
          ...ranged(shape, own(half), own(half) + half, 9, writer),
          ...ranged(shape, fresh(half), fresh(half) + half, 1, writer),
        ],
      ]
    case 'upsert-same-new': {
      const first = stored + index * batchRows
      return [ranged(shape, first, first + batchRows, 1, 0)]
    }
    case 'upsert-existing':
    case 'compaction-beside':
    case 'delete':
      return [ranged(shape, own(batchRows), own(batchRows) + batchRows, 1, writer)]
  }
}

function expectedRows(shape: Shape): readonly Slice[] {
  const { operation, batches, batchRows, writers, places } = shape
  const stored = storedCount(shape)
  const untouched = Array.from({ length: operation === 'append' ? 0 : places }, (_, place) => {
    const first = place * shape.storedRows
    const changed = place < writers && changesStored(operation) ? batches * batchRows : 0
    const version = operation === 'delete' ? [] : ranged(shape, first, first + changed, 1, place)
    return [...version, ...ranged(shape, first + changed, first + shape.storedRows, 0, place)]
  })
  const rows = addedRows(shape)
  const added = Array.from({ length: rows === 0 ? 0 : writers * batches }, (_, number) => {
    const writer = Math.floor(number / batches)
    const first = stored + slotOf(shape, writer, number % batches) * rows
    return ranged(shape, first, first + rows, 1, writer)
  })
  const common =
    operation === 'upsert-same-new' ? ranged(shape, stored, stored + batches * batchRows, 1, 0) : []
  return [...untouched.flat(), ...added.flat(), ...common]
}

function changesStored(operation: Operation): boolean {
  return operation === 'upsert-existing' || operation === 'compaction-beside' || operation === 'delete'
}

/** New rows in a batch of a writer, which no other writer brings. */
function addedRows({ operation, batchRows }: Shape): number {
  if (operation === 'append') return batchRows
  return operation === 'insert-only' ? batchRows / 2 : 0
}

/**
 * The place of a batch of new rows among the new keys: first batches are outermost, at both ends, and later ones further
 * inside. So whatever a commit forgets of a table's least and greatest key, no later one puts right by chance.
 */
function slotOf({ writers, batches }: Shape, writer: number, index: number): number {
  const pair = Math.floor(writer / 2)
  if (writer % 2 === 0) return index * Math.ceil(writers / 2) + pair
  return writers * batches - 1 - (index * Math.floor(writers / 2) + pair)
}

function storedCount({ operation, places, storedRows }: Shape): number {
  return operation === 'append' ? 0 : places * storedRows
}

/** The first key of batches, which a filter must find, or must not: each is in a file of its own. */
function probesOf(shape: Shape): Dataset['probes'] {
  const count = shape.writers * shape.batches
  const step = Math.ceil(count / MAX_PROBES)
  const keys = Array.from({ length: count }, (_, index) => index)
    .filter((index) => index % step === 0)
    .map((index) => firstKey(shape, Math.floor(index / shape.batches), index % shape.batches))
  return [...new Map(keys.map((probe) => [probe.key, probe])).values()]
}

function firstKey(shape: Shape, writer: number, index: number): Dataset['probes'][number] {
  const { operation, batchRows, storedRows } = shape
  const stored = storedCount(shape)
  const row = (key: number, place: number) => ({ key, row: ranged(shape, key, key + 1, 1, place)[0] ?? null })
  switch (operation) {
    case 'append':
    case 'insert-only':
      return row(stored + slotOf(shape, writer, index) * addedRows(shape), writer)
    case 'upsert-same-new':
      return row(stored + index * batchRows, 0)
    case 'upsert-existing':
    case 'compaction-beside':
      return row(writer * storedRows + index * batchRows, writer)
    case 'delete':
      return { key: writer * storedRows + index * batchRows, row: null }
  }
}

/** Rows of consecutive keys in one version, in the partition of a writer. */
function ranged(shape: Shape, from: number, to: number, version: number, writer: number): readonly Slice[] {
  const { seed, target } = shape
  return slices(
    from,
    to,
    ROWS_PER_SLICE,
    (source) => `SELECT CAST(i AS BIGINT) AS id, '${partitionOf(target, writer)}' AS bucket,
      CAST(${version} AS INTEGER) AS version, ${oneOf(['new', 'open', 'done'], 'i', 3, seed)} AS status,
      ${hex('i', 5, seed)} || ${hex('i', 6, seed)} || '-${version}' AS note FROM ${source}`,
  )
}
