import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { deleteFiles } from '../../platform/storage/files.ts'
import type {
  ApplyMode,
  ApplyResult,
  CommitTag,
  EvolveResult,
  LakeTable,
  MaintenanceResult,
  StagedBatch,
  TableDescription,
} from '../backend.ts'
import type { ColumnSpec, TableSpec } from '../schema.ts'
import type { AttachedLake } from './catalog.ts'
import { asAsked, describeTable, snapshotVersion, tableName } from './catalog.ts'
import { translated, translateError } from './errors.ts'
import { evolveTable } from './evolve.ts'
import { insertRows } from './insert.ts'
import { maintainTable } from './maintenance.ts'
import { CommitMarker } from './marker.ts'
import { fitToLoad } from './memory.ts'
import { registerParts } from './register.ts'
import type { DuckLakeSettings } from './settings.ts'
import type { StagedRows } from './staged.ts'
import { inspectBatch, surveyKeys } from './staged.ts'
import type { RowCounts, UpsertContext, UpsertStrategy } from './strategy.ts'

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
      const registered: string[] = []
      const counts = await this.#session
        .transaction(
          async () => ((await this.#marker.claim(tag)) ? this.#write(batch, mode, registered) : null),
          (written) => written !== null,
        )
        .catch(async (error: unknown) => {
          // Of any other failure nobody knows here whether it was committed, and then the files are the table's.
          const isLost = translateError(error, 'committing').code === 'COMMIT_CONFLICT'
          if (isLost) await deleteFiles(this.#lake.storage, registered)
          throw error
        })
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
        engine: { filesRegistered: registered.length },
      }
    })
  }

  async appliedThrough(runId: string): Promise<number | null> {
    this.#assertOpen()
    return translated('reading the commit marker', { table: this.#spec.name, runId }, () =>
      this.#marker.appliedThrough(runId),
    )
  }

  async evolve(columns: readonly ColumnSpec[]): Promise<EvolveResult> {
    this.#assertOpen()
    return translated('evolving the table', { table: this.#spec.name }, async () => {
      const evolution = await evolveTable(this.#lake, this.#settings, this.#spec, columns)
      const asked = new Map([...columns, ...this.#spec.columns].map((column) => [column.name, column]))
      const stored = evolution.columns.map((column) => asAsked(column, asked.get(column.name)))
      this.#spec = { ...this.#spec, columns: stored }
      return {
        added: evolution.added.map(({ name }) => name),
        widened: evolution.widened.map(({ name }) => name),
      }
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

  /** @param registered takes the files that were copied beside the table's own */
  async #write(batch: StagedBatch, mode: ApplyMode, registered: string[]): Promise<RowCounts> {
    const context = this.#context()
    const staged = await inspectBatch(this.#session, this.#spec, batch)
    if (mode === 'replace') await this.#session.run(`TRUNCATE ${context.target}`)
    if (staged === null) return NO_ROWS
    if (mode === 'append') {
      const files = await registerParts(this.#lake, this.#settings, this.#spec, staged)
      registered.push(...(files?.uris ?? []))
      if (files !== null) return { rowsInserted: files.rows, rowsUpdated: 0, statements: 1 }
    }
    await fitToLoad(this.#session, this.#settings, staged)
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
