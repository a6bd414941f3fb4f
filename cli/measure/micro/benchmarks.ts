import type { ColumnSpec, TableSpec } from '../../../backends/schema.ts'
import { BatchStager } from '../../../pipeline/extract/batch-stager.ts'
import { Batcher } from '../../../pipeline/extract/batcher.ts'
import { DEFAULT_LIMITS } from '../../../pipeline/extract/limits.ts'
import { ColumnNames } from '../../../pipeline/extract/naming/column-names.ts'
import { RowBuffer } from '../../../pipeline/extract/rows/row-buffer.ts'
import { arrowRows } from '../../../pipeline/extract/staging/arrow-batch.ts'
import { TextRoom } from '../../../pipeline/extract/staging/layout.ts'
import { TablePlan } from '../../../pipeline/extract/table-plan.ts'
import type { Row, SourceTable } from '../../../pipeline/sources/source.ts'
import type { State } from '../../../pipeline/state/store.ts'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { contentOf } from '../../../scenarios/oracle/content.ts'
import { QueueTrip } from './queue-trip.ts'

/** A small piece of work that is done again and again. */
export interface MicroBenchmark {
  readonly name: string
  readonly run: () => unknown
}

export interface Bench {
  /** A folder for staged parts. */
  readonly folder: string
  readonly duckdb: DuckDbSession
  readonly state: State
}

const PAGE_ROWS = 1_000
const NAMES = 200
const HASHED_ROWS = 100_000

const HASHED: TableSpec = {
  name: 'hashed',
  columns: [column('id', 'int64'), column('note', 'string')],
  primaryKey: ['id'],
  partitionBy: null,
}

const SOURCE_TABLE: SourceTable = {
  name: 'events',
  columns: null,
  primaryKey: ['id'],
  incremental: [],
  partition: null,
  parent: null,
  keysOnce: true,
  pagesAreDear: false,
  estimatedRows: null,
}

/** The pieces that a row goes through, each by itself, and all of them as a page is staged. */
export async function benchmarksOf({ folder, duckdb, state }: Bench): Promise<readonly MicroBenchmark[]> {
  const rows = Array.from({ length: PAGE_ROWS }, (_, id) => rowOf(id))
  const rowBytes = rows.map(({ note }) => 60 + String(note).length)
  const names = Array.from({ length: NAMES }, (_, index) => `Customer Name (${index}) / e-Mail.Address`)
  const settled = settle(rows)
  await duckdb.run(
    `CREATE TABLE hashed AS SELECT i AS id, 'note ' || i AS note FROM range(${HASHED_ROWS}) numbers(i)`,
  )
  const trip = await QueueTrip.begin(state)
  return [
    { name: 'batching', run: () => new Batcher(DEFAULT_LIMITS.batch).place(rowBytes) },
    { name: 'naming', run: () => new ColumnNames().add(names) },
    { name: 'typing', run: () => settle(rows) },
    { name: 'arrow', run: () => arrowRows(settled, 0, PAGE_ROWS, new TextRoom()) },
    { name: 'staging', run: () => stage(rows, folder) },
    { name: 'content hash', run: () => contentOf(duckdb, HASHED, 'hashed') },
    { name: 'queue round trip', run: () => trip.once() },
  ]
}

function rowOf(id: number): Row {
  return {
    id,
    name: `customer ${id % 97}`,
    amount: id * 1.25,
    paid: id % 3 === 0,
    created: new Date(1_735_689_600_000 + id * 1_000),
    address: { city: `city ${id % 31}`, lines: [id, id + 1] },
    note: 'x'.repeat(id % 80),
  }
}

function settle(rows: readonly Row[]) {
  const plan = newPlan()
  const buffer = new RowBuffer(plan.hints())
  for (const row of rows) buffer.add(row)
  return plan.settle(buffer)
}

/** One part, from rows to a Parquet file. */
async function stage(rows: readonly Row[], folder: string): Promise<void> {
  await using stager = new BatchStager({
    plan: newPlan(),
    limits: DEFAULT_LIMITS,
    storage: { kind: 'local', root: folder },
    nextKey: () => 'part.parquet',
  })
  await stager.add({ rows, cursor: 0 })
  await stager.finish()
}

function newPlan(): TablePlan {
  return new TablePlan({
    table: SOURCE_TABLE,
    known: [],
    names: [],
    partition: { mode: 'none' },
    mode: 'append',
    primaryKey: ['id'],
    incrementalField: null,
    nested: 'json',
    columnTypes: {},
    expectedRows: null,
  })
}

function column(name: string, kind: 'int64' | 'string'): ColumnSpec {
  return { name, type: { kind }, nullable: false }
}
