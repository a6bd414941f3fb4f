import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type {
  ApplyMode,
  ApplyResult,
  CommitTag,
  LakeTable,
  MaintenanceResult,
  StagedBatch,
  TableDescription,
} from '../backend.ts'
import type { ColumnSpec, TableSpec } from '../schema.ts'
import type { AttachedLake } from './catalog.ts'
import { addColumns, describeTable, snapshotVersion, tableName } from './catalog.ts'
import { translated } from './errors.ts'
import { insertRows } from './insert.ts'
import { maintainTable } from './maintenance.ts'
import { CommitMarker } from './marker.ts'
import type { DuckLakeSettings } from './settings.ts'
import type { StagedRows } from './staged.ts'
import { inspectBatch, surveyKeys } from './staged.ts'
import type { RowCounts, UpsertContext, UpsertStrategy } from './strategy.ts'

/** Bytes of DuckDB's memory for each byte of a batch's payload, on top of what any batch needs. */
const MEMORY_PER_PAYLOAD = 4

/** The rows of a batch that had none. */
const NO_ROWS: RowCounts = { rowsInserted: 0, rowsUpdated: 0, statements: 0 }

/** One DuckLake table, written by one strategy. The commit protocol is told in `ducklake.ts`. */
export class DuckLakeTable implements LakeTable {
  readonly #lake: AttachedLake
  readonly #session: DuckDbSession
  readonly #settings: DuckLakeSettings
  readonly #upsert: UpsertStrategy
  readonly #marker: CommitMarker
  #spec: TableSpec
  #closed = false

  constructor(lake: AttachedLake, settings: DuckLakeSettings, upsert: UpsertStrategy, spec: TableSpec) {
    this.#lake = lake
    this.#session = lake.session
    this.#settings = settings
    this.#upsert = upsert
    this.#spec = spec
    this.#marker = new CommitMarker(lake.session, spec.name)
  }

  get spec(): TableSpec {
    return this.#spec
  }

  async apply(batch: StagedBatch, mode: ApplyMode, tag: CommitTag): Promise<ApplyResult> {
    this.#assertOpen()
    if (mode === 'upsert' && this.#spec.primaryKey.length === 0) throw noPrimaryKey(this.#spec.name)
    const facts = { table: this.#spec.name, mode, ...tag, parts: batch.parts.length }
    const rowsRead = batch.parts.reduce((sum, part) => sum + part.rows, 0)
    return translated(`applying batch ${tag.batchIndex} to table ${this.#spec.name}`, facts, async () => {
      const counts = await this.#session.transaction(
        async () => ((await this.#marker.claim(tag)) ? this.#write(batch, mode) : null),
        (written) => written !== null,
      )
      const alreadyApplied = counts === null
      const { rowsInserted, rowsUpdated, statements } = counts ?? NO_ROWS
      return {
        alreadyApplied,
        rowsRead,
        rowsInserted,
        rowsUpdated,
        commits: alreadyApplied ? 0 : 1,
        attempts: statements,
        version: await snapshotVersion(this.#session),
        engine: {},
      }
    })
  }

  async appliedThrough(runId: string): Promise<number | null> {
    this.#assertOpen()
    return translated('reading the commit marker', { table: this.#spec.name, runId }, () =>
      this.#marker.appliedThrough(runId),
    )
  }

  async evolve(columns: readonly ColumnSpec[]): Promise<readonly string[]> {
    this.#assertOpen()
    return translated('adding columns', { table: this.#spec.name }, async () => {
      const added = await addColumns(this.#session, this.#spec, columns)
      this.#spec = { ...this.#spec, columns: [...this.#spec.columns, ...added] }
      return added.map(({ name }) => name)
    })
  }

  async maintain(): Promise<MaintenanceResult> {
    this.#assertOpen()
    return translated('maintaining the table', { table: this.#spec.name }, () =>
      maintainTable(this.#session, this.#spec, this.#settings),
    )
  }

  async describe(): Promise<TableDescription> {
    this.#assertOpen()
    return translated('describing the table', { table: this.#spec.name }, () =>
      describeTable(this.#lake, this.#spec),
    )
  }

  /** Nothing is held but the backend's session, which other tables share. */
  async close(): Promise<void> {
    this.#closed = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #assertOpen(): void {
    if (!this.#closed) return
    throw new LakeduelError('USAGE', `The table ${this.#spec.name} is closed.`, {
      facts: { table: this.#spec.name },
      remedy: 'Open it again with `backend.open`.',
    })
  }

  async #write(batch: StagedBatch, mode: ApplyMode): Promise<RowCounts> {
    const context = this.#context()
    const staged = await inspectBatch(this.#session, this.#spec, batch)
    if (mode === 'replace') await this.#session.run(`TRUNCATE ${context.target}`)
    if (staged === null) return NO_ROWS
    await this.#fitToBatch(staged)
    if (mode === 'append' || this.#spec.primaryKey.length === 0) return insertAll(context, staged)
    const survey = await surveyKeys(this.#session, this.#spec, staged)
    if (mode === 'upsert') return this.#upsert(context, staged, survey)
    const statements = await insertRows(context, staged, survey)
    return { rowsInserted: survey.distinctKeys, rowsUpdated: 0, statements: statements + 1 }
  }

  #context(): UpsertContext {
    return {
      session: this.#session,
      spec: this.#spec,
      target: tableName(this.#spec.name),
      settings: this.#settings,
    }
  }

  /**
   * Fits DuckDB's bounds to the batch. A partitioned write is flushed by rows, so the bytes that a thread may buffer become
   * rows by the batch's own row width. And the engine takes what its limit allows: upload buffers of 100 partitions filled
   * 500 MiB for a batch of 5 MiB, and worked as well in 150.
   */
  async #fitToBatch(staged: StagedRows): Promise<void> {
    const { flushPayloadBytes, memoryLimitBytes, baseMemoryBytes } = this.#settings
    const bytesPerRow = Math.max(1, staged.payloadBytes / staged.rows)
    const flushRows = Math.max(1, Math.floor(flushPayloadBytes / bytesPerRow))
    const memoryBytes = Math.min(memoryLimitBytes, baseMemoryBytes + MEMORY_PER_PAYLOAD * staged.payloadBytes)
    await this.#session.set('partitioned_write_flush_threshold', flushRows)
    await this.#session.set('memory_limit', `${memoryBytes}B`)
  }
}

async function insertAll(context: UpsertContext, staged: StagedRows): Promise<RowCounts> {
  const statements = await insertRows(context, staged, null)
  return { rowsInserted: staged.rows, rowsUpdated: 0, statements }
}

function noPrimaryKey(table: string): LakeduelError {
  return new LakeduelError(
    'BATCH_INVALID',
    `Table ${table} has no primary key, so a batch can't be upserted into it.`,
    {
      facts: { table },
      remedy: 'Open the table with a primary key, or apply the batch in the mode `append` or `replace`.',
    },
  )
}
