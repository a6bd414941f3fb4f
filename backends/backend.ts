/**
 * The contract of every backend. Words:
 * - a **format** is Delta Lake or DuckLake; a **backend** is the code that writes one of them;
 * - a **strategy** is how a backend applies a batch; an **arm** is backend/strategy, the thing that is compared;
 * - a **batch** is the rows that are staged, applied and committed as one; a **part** is one staged Parquet file of it;
 * - a **run** is the one who applies batches, numbered from 0; a **tag** is a run with such a number, and a table's
 *   **progress** is the last number of each run that is in it;
 * - a **shadow** is a table that is filled apart, to take the place of its **target** in one commit.
 *
 * What a caller does with it:
 * 1. `stored(name)` tells how a table is stored, and `open(spec)` opens it so, or makes it;
 * 2. `evolve(columns)` fits it to what the next batch has;
 * 3. `apply(batch, mode, tag)` commits the batch with its tag, however often it is called, and `applyTogether` several
 *    batches, of one run or of many, in one commit;
 * 4. `maintain()` now and then, where the backend is `mergeOnRead` or files have become many.
 *
 * A full refresh does the same to a shadow, `open(spec, { shadowOf })`, and then `swap`s it in: readers see the old table
 * until that commit. Both keep the target's progress of all runs. An abandoned shadow is `drop`ped.
 *
 * Who was killed, at any moment, calls again: every verb that changes something ends the same when it is repeated.
 */
import { z } from 'zod'
import { postgresEndpointSchema, storageSchema } from '../platform/endpoints.ts'
import type { ColumnSpec, TableSpec } from './schema.ts'

export const ARMS = [
  'ducklake/merge',
  'ducklake/delete-insert',
  'delta/merge-loop',
  'delta/merge',
  'delta/merge-tuned',
  'delta/deltalite',
  'delta/duckdb',
] as const
export const armSchema = z.enum(ARMS)
export type Arm = z.infer<typeof armSchema>
export type Format = 'ducklake' | 'delta'

/** One staged Parquet file of a batch. Backends read it themselves; rows never cross a pipe. */
export const stagedPartSchema = z.strictObject({
  uri: z.string(),
  rows: z.int().nonnegative(),
  /** Compressed, as stored. */
  bytes: z.int().nonnegative(),
  /** The Arrow payload of its rows, uncompressed: what a reader must be ready to hold of it. */
  payloadBytes: z.int().nonnegative(),
})
export type StagedPart = Readonly<z.infer<typeof stagedPartSchema>>

/**
 * The rows of a batch, in the order of its parts and of the rows in a part: where a key occurs twice, the last one counts.
 * The parts hold the table's columns by name; a nullable column may be missing, and a column may have a narrower type.
 */
export const stagedBatchSchema = z.strictObject({ parts: z.array(stagedPartSchema) })
export type StagedBatch = Readonly<z.infer<typeof stagedBatchSchema>>

/**
 * - `append`: all rows are added.
 * - `upsert`: a row whose primary key is stored replaces the stored row, others are added. NULL equals NULL in a key.
 *   A key keeps its partition: a batch that moves a key to another partition is outside of the contract
 *   (that is what lets a backend read only the partitions that the batch names).
 * - `insert`: a row whose primary key isn't stored is added; one whose key is changes nothing.
 * - `delete`: the stored rows of the batch's primary keys are removed. The other columns don't matter, but must fit.
 * - `replace`: the table's rows become the batch's rows, in one commit; readers never see half of it.
 */
export const applyModeSchema = z.enum(['append', 'upsert', 'insert', 'delete', 'replace'])
export type ApplyMode = z.infer<typeof applyModeSchema>

export type KeyedMode = Extract<ApplyMode, 'upsert' | 'insert' | 'delete'>

/** Whether rows are found by their primary key, which the table must then have. */
export function isKeyed(mode: ApplyMode): mode is KeyedMode {
  return mode === 'upsert' || mode === 'insert' || mode === 'delete'
}

/** Committed atomically with the data. Batches of a run are applied in the order of `batchIndex`, from 0. */
export const commitTagSchema = z.strictObject({
  runId: z.string().min(1).max(200),
  batchIndex: z.int().nonnegative(),
})
export type CommitTag = Readonly<z.infer<typeof commitTagSchema>>

/** A batch and the tag that it is committed with. */
export const taggedBatchSchema = z.strictObject({ batch: stagedBatchSchema, tag: commitTagSchema })
export type TaggedBatch = Readonly<z.infer<typeof taggedBatchSchema>>

export interface ApplyResult {
  /** All that was given was committed before, and this call changed nothing. */
  readonly alreadyApplied: boolean
  /** The same of each batch, in the order in which they were given. */
  readonly alreadyAppliedEach: readonly boolean[]
  /** Rows of all batches that were given, duplicates of a key included. */
  readonly rowsRead: number
  /** Null where the engine doesn't tell. */
  readonly rowsInserted: number | null
  readonly rowsUpdated: number | null
  readonly commits: number
  /** Statements tried, conflicts and retries included; equal to the statements needed when nothing conflicted. */
  readonly attempts: number
  /** The Delta version or DuckLake snapshot after the last commit. */
  readonly version: string
  /** What else the engine told of itself, with units in the names. */
  readonly engine: Readonly<Record<string, number>>
}

export interface TableDescription {
  readonly format: Format
  readonly version: string
  readonly columns: readonly ColumnSpec[]
  readonly partitionBy: string | null
  /** Live rows: those of the data files less the deleted ones. */
  readonly rows: number
  readonly dataFiles: number
  /** Files of deleted positions or deletion vectors, zero in a copy-on-write table. */
  readonly deleteFiles: number
  /** Compressed bytes of the live data files, whole files. */
  readonly dataBytes: number
}

export interface MaintenanceResult {
  readonly filesBefore: number
  readonly filesAfter: number
  /** The steps that were run, in order, in the format's own words. */
  readonly steps: readonly { readonly name: string; readonly durationMs: number }[]
}

/**
 * What a backend can do, as data; callers choose by these and never by a backend's name. What none of them can is not
 * here: an `evolve` or a `swap` has its table for itself, so callers let no batch of that table run meanwhile.
 */
export interface Capabilities {
  /**
   * Which upserts may run at once without losing or doubling rows *and* without one of them failing.
   * When it is `none`, callers hold one upserter per table; with `disjoint-partitions` they may run one per partition.
   * Either way two of them lose nothing when they do run at once: one fails with `COMMIT_CONFLICT`, and is applied again.
   */
  readonly concurrentUpserts: 'same-table' | 'disjoint-partitions' | 'none'
  /**
   * Whether an upsert is one commit whatever its size. When false, readers may see a part of a large one, and callers
   * that can't have that fill a shadow and swap it in. One that was killed is applied again from its start, as always.
   */
  readonly atomicUpserts: boolean
  /**
   * Whether a commit leaves deleted rows in place for readers to skip. When true, callers schedule `maintain` by
   * `TableDescription.deleteFiles`; when false, only many small files ask for it.
   */
  readonly mergeOnRead: boolean
}

/** A table as it is stored, whoever made it. JSON is told as `string`, since formats know no difference. */
export interface StoredTable {
  readonly columns: readonly ColumnSpec[]
  readonly partitionBy: string | null
}

/**
 * What a table is beside its name. Whoever opens, asks for or drops a shadow says whose it is, because a format may
 * keep it below its target's folder, so that its files can be taken over where they are.
 */
export interface TablePlace {
  readonly shadowOf?: string
}

export interface EvolveResult {
  /** Names of the columns that the table lacked. */
  readonly added: readonly string[]
  /** Names of the columns whose type was too narrow. */
  readonly widened: readonly string[]
}

export interface SwapResult {
  /** The swap was committed before, and this call changed nothing. */
  readonly alreadyApplied: boolean
  /** The target's Delta version or DuckLake snapshot after it. */
  readonly version: string
}

/** An open table. It is used by one caller at a time. */
export interface LakeTable extends AsyncDisposable {
  readonly spec: TableSpec
  /**
   * Applies one staged batch and commits it with its tag; a batch whose tag is committed already changes nothing. The parts
   * are free to go afterwards: where an append takes them as they are (setting `registerParts`), it takes copies, and tells
   * their number as `engine.filesRegistered`.
   * @throws LakeduelError `COMMIT_CONFLICT` when the caller should apply it again, `ENGINE_OUT_OF_MEMORY`,
   *   `SCHEMA_MISMATCH`, `BATCH_INVALID`, `ENGINE_FAILED`; the table is then as it was, or (where `atomicUpserts` is
   *   false) applying the batch again repairs it.
   */
  apply(batch: StagedBatch, mode: ApplyMode, tag: CommitTag): Promise<ApplyResult>
  /**
   * Applies several staged batches in one commit that carries all of their tags, as if they were one batch of all their
   * parts, in order: of a key that is in two of them the later one counts, and of several that replace the table the last.
   * Those whose tag is committed already are left out. Batches of one run come in the order of their indexes; of two with
   * one tag the second is left out. A part belongs to one batch only.
   *
   * Where `atomicUpserts` is false, an upsert of several is in steps as well: the last one carries all tags, so that either
   * all of the batches are repeated or none.
   * @throws LakeduelError as `apply` does; a batch that can't be applied keeps the others from being applied with it
   */
  applyTogether(batches: readonly TaggedBatch[], mode: ApplyMode): Promise<ApplyResult>
  /** The highest batch index that the run has committed, or null. */
  appliedThrough(runId: string): Promise<number | null>
  /**
   * Fits the table to columns that a batch will have, in one commit, or in none where it fits already.
   * - A column that the table lacks is added; it must be nullable, and stored rows have NULL there.
   * - A stored column whose type doesn't hold every value of the new one gets the least type that holds both
   *   (`widening.ts`); for that the stored rows are written anew, bounded in memory but not in time.
   * - All else stays: a column that is narrower or missing here, and whether a stored column is nullable.
   * @throws LakeduelError `SCHEMA_MISMATCH` when two types have no common one without loss, or a name differs from a
   *   stored one by case only; `COMMIT_CONFLICT` when another writer was first: call again. The table is then as it was.
   */
  evolve(columns: readonly ColumnSpec[]): Promise<EvolveResult>
  /** Makes the table as cheap to read as its format can: compaction, rewriting of deletes, removal of unused files. */
  maintain(): Promise<MaintenanceResult>
  describe(): Promise<TableDescription>
  close(): Promise<void>
}

export interface Backend extends AsyncDisposable {
  readonly arm: Arm
  readonly capabilities: Capabilities
  /** All settings in force, defaults included, as they are recorded with a result. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Engine names and versions, as they are recorded with a result. */
  readonly versions: Readonly<Record<string, string>>
  /** Processes that the backend started, by role, so that they are measured beside this one. */
  readonly processes: Readonly<Record<string, number>>
  /** How a table is stored, or null where there is none. */
  stored(name: string, place?: TablePlace): Promise<StoredTable | null>
  /** Opens a table, and creates it where it doesn't exist. Fails with `SCHEMA_MISMATCH` when what is stored contradicts `spec`. */
  open(spec: TableSpec, place?: TablePlace): Promise<LakeTable>
  /**
   * Puts a shadow in its target's place, in one commit: readers of the target go from its old rows, columns and
   * partitioning to the shadow's. There need be no target yet. The target keeps the progress of its runs and adds `tag`;
   * the shadow's own progress ends with it. Afterwards there is no table `shadow`. Repeated with the same tag it changes
   * nothing, and removes what a killed call left of the shadow. Open handles of both tables must be opened again.
   * @throws LakeduelError `TABLE_NOT_FOUND` without a shadow, `COMMIT_CONFLICT` when another writer was first: call again
   */
  swap(shadow: string, target: string, tag: CommitTag): Promise<SwapResult>
  /** Removes a table with its progress, and does nothing where there is none. Its files may go with the next maintenance only. */
  drop(name: string, place?: TablePlace): Promise<void>
  close(): Promise<void>
}

/** All that a backend needs to know of the world; it crosses process boundaries as JSON, on stdin and never in argv, since it holds secrets. */
export const backendEnvironmentSchema = z.strictObject({
  /** Tables lie at `<storage>/<table name>/`, or where the format puts them below it. */
  storage: storageSchema,
  catalog: z.strictObject({
    postgres: postgresEndpointSchema,
    /** The Postgres schema of the DuckLake catalog (its METADATA_SCHEMA). */
    schema: z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/),
  }),
  /** Paths of signed DuckDB extension files, by name. */
  duckdbExtensions: z.record(z.string(), z.string()),
  /** The Python interpreter of the sidecar's virtual environment, and the strategies that it can't offer, with the reason. */
  sidecar: z.strictObject({ python: z.string(), unavailable: z.record(z.string(), z.string()) }).nullable(),
  /** For spill files; made and removed by the caller. */
  scratchDir: z.string(),
  /** The cap of the pod that the process runs in, or null. Backends divide it, they don't enforce it. */
  memoryBudgetBytes: z.int().positive().nullable(),
  /** Processors that the engine may use. */
  threads: z.int().positive(),
})
export type BackendEnvironment = Readonly<z.infer<typeof backendEnvironmentSchema>>

/** What each backend folder exports: its arms, and how to connect one. */
export interface BackendFactory {
  readonly format: Format
  /**
   * @param settings overrides of the strategy's settings; an unknown key or a bad value is `CONFIG_INVALID`
   */
  connect(
    arm: Arm,
    environment: BackendEnvironment,
    settings: Readonly<Record<string, unknown>>,
  ): Promise<Backend>
}

export function formatOf(arm: Arm): Format {
  return arm.startsWith('ducklake/') ? 'ducklake' : 'delta'
}
