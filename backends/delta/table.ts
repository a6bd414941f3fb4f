import { z } from 'zod'
import { LakeduelError } from '../../platform/errors.ts'
import type {
  ApplyMode,
  ApplyResult,
  CommitTag,
  EvolveResult,
  KeyedMode,
  LakeTable,
  MaintenanceResult,
  StagedBatch,
  TableDescription,
  TaggedBatch,
} from '../backend.ts'
import { isKeyed } from '../backend.ts'
import { planEvolution } from '../evolution.ts'
import type { ColumnSpec, TableSpec } from '../schema.ts'
import { columnSchema } from '../schema.ts'
import type { DuckDbMerger } from './duckdb/merger.ts'
import type { DeltaSettings, Strategy } from './settings.ts'
import { requestedSettings } from './settings.ts'
import type { SidecarProcess } from './sidecar-process.ts'
import { describedColumns } from './types.ts'

const appliedSchema = z.object({
  alreadyApplied: z.boolean(),
  alreadyAppliedEach: z.array(z.boolean()),
  rowsRead: z.int(),
  rowsInserted: z.int().nullable(),
  rowsUpdated: z.int().nullable(),
  commits: z.int(),
  version: z.string(),
  engine: z.record(z.string(), z.number()),
})

export const storedTableSchema = z.object({
  columns: z.array(columnSchema),
  partitionBy: z.string().nullable(),
})

const describedSchema = storedTableSchema.extend({
  version: z.string(),
  rows: z.int(),
  dataFiles: z.int(),
  dataBytes: z.int(),
})

const maintainedSchema = z.object({
  filesBefore: z.int(),
  filesAfter: z.int(),
  steps: z.array(z.object({ name: z.string(), durationMs: z.number() })),
})

/** Where a table lies, and how its backend writes. */
export interface DeltaTableOptions {
  readonly uri: string
  readonly strategy: Strategy
  readonly settings: DeltaSettings
  /** Who merges by key, where that isn't the sidecar. */
  readonly merger: DuckDbMerger | null
}

/** An open table: each verb is one request to the sidecar, which holds the table's log. */
export class DeltaTable implements LakeTable {
  readonly #sidecar: SidecarProcess
  readonly #options: DeltaTableOptions
  #spec: TableSpec
  #closed = false

  private constructor(sidecar: SidecarProcess, options: DeltaTableOptions, spec: TableSpec) {
    this.#sidecar = sidecar
    this.#options = options
    this.#spec = spec
  }

  static async open(
    sidecar: SidecarProcess,
    options: DeltaTableOptions,
    spec: TableSpec,
  ): Promise<DeltaTable> {
    const fields = { uri: options.uri, spec, ...requestedSettings(options.settings) }
    await sidecar.request('open', fields, z.object({ version: z.string() }))
    return new DeltaTable(sidecar, options, spec)
  }

  get spec(): TableSpec {
    return this.#spec
  }

  apply(batch: StagedBatch, mode: ApplyMode, tag: CommitTag): Promise<ApplyResult> {
    return this.applyTogether([{ batch, tag }], mode)
  }

  async applyTogether(batches: readonly TaggedBatch[], mode: ApplyMode): Promise<ApplyResult> {
    const { strategy, settings } = this.#options
    const merged = isKeyed(mode) ? await this.#merge(batches, mode) : null
    if (merged !== null) return merged
    const fields = { spec: this.#spec, strategy, batches, mode, ...requestedSettings(settings) }
    const applied = await this.#request('apply', fields, appliedSchema)
    // delta-rs repeats lost commits inside, and tells neither how often nor what it spilled.
    return { ...applied, attempts: applied.commits }
  }

  async appliedThrough(runId: string): Promise<number | null> {
    const answer = z.object({ batchIndex: z.int().nullable() })
    return (await this.#request('applied_through', { runId }, answer)).batchIndex
  }

  async evolve(columns: readonly ColumnSpec[]): Promise<EvolveResult> {
    const { stored } = await this.#request('stored', {}, z.object({ stored: storedTableSchema }))
    const { added, widened, ...evolution } = planEvolution(this.#spec.name, stored.columns, columns)
    if (added.length + widened.length > 0) {
      const fields = { stored: stored.columns, added, widened, ...requestedSettings(this.#options.settings) }
      await this.#request('evolve', fields, z.object({}))
    }
    const asked = [...columns, ...this.#spec.columns]
    this.#spec = { ...this.#spec, columns: describedColumns(evolution.columns, asked) }
    return { added: added.map(({ name }) => name), widened: widened.map(({ name }) => name) }
  }

  async maintain(): Promise<MaintenanceResult> {
    const { vacuumRetentionHours } = this.#options.settings
    const fields = { vacuumRetentionHours, ...requestedSettings(this.#options.settings) }
    return this.#request('maintain', fields, maintainedSchema)
  }

  async describe(): Promise<TableDescription> {
    const described = await this.#request('describe', {}, describedSchema)
    const columns = describedColumns(described.columns, this.#spec.columns)
    // delta-rs writes no deletion vectors: what it replaces it copies.
    return { ...described, format: 'delta', columns, deleteFiles: 0 }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    if (this.#sidecar.open) await this.#request('close', {}, z.object({}))
    this.#closed = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Null where the sidecar does it, or where it refuses a table without a key. */
  async #merge(batches: readonly TaggedBatch[], mode: KeyedMode): Promise<ApplyResult | null> {
    const { merger, uri } = this.#options
    if (merger === null || this.#spec.primaryKey.length === 0) return null
    this.#assertOpen(mode)
    return merger.apply({ sidecar: this.#sidecar, uri, spec: this.#spec }, batches, mode)
  }

  async #request<T>(verb: string, fields: object, answer: z.ZodType<T>): Promise<T> {
    this.#assertOpen(verb)
    return this.#sidecar.request(verb, { uri: this.#options.uri, ...fields }, answer)
  }

  #assertOpen(verb: string): void {
    if (!this.#closed) return
    throw new LakeduelError('USAGE', `the table ${this.#spec.name} is closed, so it can't ${verb}`, {
      remedy: 'Open the table again.',
    })
  }
}
