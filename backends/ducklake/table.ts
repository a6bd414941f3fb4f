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
  TaggedBatch,
} from '../backend.ts'
import { isKeyed } from '../backend.ts'
import { translated, translateError } from '../duckdb/errors.ts'
import type { StagedRows } from '../duckdb/staged.ts'
import { inspectBatch } from '../duckdb/staged.ts'
import type { ColumnSpec, TableSpec } from '../schema.ts'
import { insertNewKeys } from './apply-merge.ts'
import type { AttachedLake } from './catalog.ts'
import { asAsked, describeTable, snapshotVersion, tableName } from './catalog.ts'
import { deleteKeys } from './delete-keys.ts'
import { evolveTable } from './evolve.ts'
import { insertRows } from './insert.ts'
import { surveyKeys } from './keys.ts'
import { maintainTable } from './maintenance.ts'
import { CommitMarker } from './marker.ts'
import { fitToLoad } from './memory.ts'
import { registerParts } from './register.ts'
import type { DuckLakeSettings } from './settings.ts'
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

  apply(batch: StagedBatch, mode: ApplyMode, tag: CommitTag): Promise<ApplyResult> {
    return this.applyTogether([{ batch, tag }], mode)
  }

  async applyTogether(batches: readonly TaggedBatch[], mode: ApplyMode): Promise<ApplyResult> {
    this.#assertOpen()
    if (isKeyed(mode) && this.#spec.primaryKey.length === 0) throw noPrimaryKey(this.#spec.name, mode)
    const tags = batches.map(({ tag }) => tag)
    const facts = { table: this.#spec.name, mode, tags }
    return translated(`applying ${describedTags(tags)} to table ${this.#spec.name}`, facts, async () => {
      const registered: string[] = []
      const { isFree, counts } = await this.#session
        .transaction(
          () => this.#claimAndWrite(batches, mode, registered),
          (written) => written.counts !== null,
        )
        .catch(async (error: unknown) => {
          // Of any other failure nobody knows here whether it was committed, and then the files are the table's.
          const isLost = translateError(error, 'committing').code === 'COMMIT_CONFLICT'
          if (isLost) await deleteFiles(this.#lake.storage, registered)
          throw error
        })
      const { rowsInserted, rowsUpdated, statements } = counts ?? NO_ROWS
      return {
        alreadyApplied: counts === null,
        alreadyAppliedEach: isFree.map((free) => !free),
        rowsRead: sumOf(batches.flatMap(({ batch }) => batch.parts.map((part) => part.rows))),
        rowsInserted,
        rowsUpdated,
        commits: counts === null ? 0 : 1,
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
      maintainTable(this.#lake, this.#spec, this.#settings),
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

  /** Of batches that replace the table the last one that is free is written, since it leaves nothing of the others. */
  async #claimAndWrite(
    batches: readonly TaggedBatch[],
    mode: ApplyMode,
    registered: string[],
  ): Promise<{ readonly isFree: readonly boolean[]; readonly counts: RowCounts | null }> {
    const tags = batches.map(({ tag }) => tag)
    const isFree = this.#settings.commitTags ? await this.#marker.claim(tags) : tags.map(() => true)
    const free = batches.filter((_, index) => isFree[index])
    if (free.length === 0) return { isFree, counts: null }
    const written = mode === 'replace' ? free.slice(-1) : free
    const batch = { parts: written.flatMap(({ batch: { parts } }) => parts) }
    return { isFree, counts: await this.#write(batch, mode, registered) }
  }

  /** @param registered takes the files that were put beside the table's own */
  async #write(batch: StagedBatch, mode: ApplyMode, registered: string[]): Promise<RowCounts> {
    const context = this.#context(registered)
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
    switch (mode) {
      case 'upsert':
        return this.#upsert(context, staged, survey)
      case 'insert':
        return insertNewKeys(context, staged, survey)
      case 'delete':
        await deleteKeys(context, survey)
        return { rowsInserted: 0, rowsUpdated: 0, statements: 1 }
      case 'replace': {
        const statements = await insertRows(context, staged, survey)
        return { rowsInserted: survey.distinctKeys, rowsUpdated: 0, statements: statements + 1 }
      }
    }
  }

  #context(registered: string[]): UpsertContext {
    return {
      lake: this.#lake,
      registered,
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

function describedTags([first, ...others]: readonly CommitTag[]): string {
  return others.length === 0 ? `batch ${first?.batchIndex}` : `${others.length + 1} batches`
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function noPrimaryKey(table: string, mode: ApplyMode): LakeduelError {
  return new LakeduelError(
    'BATCH_INVALID',
    `Table ${table} has no primary key, which the mode ${mode} finds stored rows by.`,
    {
      facts: { table, mode },
      remedy: 'Open the table with a primary key, or apply the batch in the mode `append` or `replace`.',
    },
  )
}
