/**
 * What the pipeline remembers, all of it in Postgres, so that any process may be killed at any moment.
 *
 * - a **destination** is one lake table: an arm, a lake and a name; it has at most one unfinished run;
 * - a **run** is one sync of it, from its first page to its last commit, over any number of processes;
 * - a **lease** names the one extractor of a run. Its token rises with every owner, and what an extractor writes is
 *   refused once a later token exists, so that an extractor that was thought dead can't write beside its successor;
 * - the **spool** holds pages that are read and not yet in a batch, for sources whose pages are dear.
 *
 * Order of things, and what a kill in between leaves:
 * 1. parts are uploaded (a kill leaves objects that no batch names; the end of the run removes them);
 * 2. in one transaction the batch is recorded, its message queued, its spooled pages dropped and the run's resume cursor
 *    moved: a batch exists with all of them or not at all;
 * 3. a loader applies the batch, the tag (run, batch index) being committed with the data: applying it again changes nothing;
 * 4. in one transaction the batch is marked committed and its message completed;
 * 5. the last message of a run finishes it: a full refresh is switched, then the run is marked done and the table's
 *    high-water mark moves with it, never before.
 */
import { z } from 'zod'
import { armSchema, commitTagSchema, stagedPartSchema } from '../../backends/backend.ts'
import { columnSchema, lakeTypeSchema } from '../../backends/schema.ts'

const jsonSchema = z.json()

export const syncModeSchema = z.enum(['full-refresh', 'append', 'incremental'])
export type SyncMode = z.infer<typeof syncModeSchema>

export const partitionSpecSchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('none') }),
  z.strictObject({
    mode: z.literal('md5'),
    columns: z.array(z.string()).min(1),
    count: z.int().positive(),
  }),
  z.strictObject({ mode: z.literal('numerical'), column: z.string(), size: z.int().positive() }),
  z.strictObject({
    mode: z.literal('datetime'),
    column: z.string(),
    format: z.enum(['hour', 'day', 'week', 'month']),
  }),
  z.strictObject({
    mode: z.literal('datetime_md5'),
    column: z.string(),
    format: z.enum(['hour', 'day', 'week', 'month']),
    columns: z.array(z.string()).min(1),
    count: z.int().positive(),
  }),
])
/** By the lake's column names. */
export type PartitionSpec = Readonly<z.infer<typeof partitionSpecSchema>>

export const destinationSchema = z.strictObject({
  arm: armSchema,
  /** Names the folder below the storage's root, and the catalog schema, that the table lies in. */
  lake: z.string().regex(/^[a-z][a-z0-9_]{0,30}$/),
  table: z.string(),
  /** Overrides of the arm's settings. */
  settings: z.record(z.string(), z.unknown()),
})
export type Destination = Readonly<z.infer<typeof destinationSchema>>

export const triggerSchema = z.discriminatedUnion('kind', [
  /** Run without a shell; the message is its last argument, as JSON. */
  z.strictObject({ kind: z.literal('command'), argv: z.array(z.string()).min(1) }),
  /** POST of the message as JSON. */
  z.strictObject({ kind: z.literal('http'), url: z.url({ protocol: /^https?$/ }) }),
  /** Postgres NOTIFY with the message as payload, on the server of the state. */
  z.strictObject({ kind: z.literal('notify'), channel: z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/) }),
])
export type Trigger = Readonly<z.infer<typeof triggerSchema>>

export const compactionPolicySchema = z.strictObject({
  /** Maintain after a run when the table has this many files or more (data and delete files); null never. */
  minFiles: z.int().positive().nullable(),
})
export type CompactionPolicy = Readonly<z.infer<typeof compactionPolicySchema>>

/** All that a process on another machine needs to go on with a run; secrets of the source excepted. */
export const runSpecSchema = z.strictObject({
  source: z.strictObject({
    name: z.string(),
    /** Without its secrets: those come from the environment or the config file of whoever extracts. */
    config: z.record(z.string(), jsonSchema),
    table: z.string(),
  }),
  destination: destinationSchema,
  mode: syncModeSchema,
  incrementalField: z.string().nullable(),
  /** By the lake's names. */
  primaryKey: z.array(z.string()),
  /** How batches are applied: rows whose keys can't occur twice are appended, which costs no reading. */
  applyAs: z.enum(['append', 'upsert']),
  /** Null chooses at the first batch. */
  partition: partitionSpecSchema.nullable(),
  /** Nested values as JSON text or as structs and lists. */
  nested: z.enum(['json', 'struct']),
  /** Types that the user chose, by the lake's column names; they rank above what is declared and what values tell. */
  columnTypes: z.record(z.string(), lakeTypeSchema),
  compaction: compactionPolicySchema,
  triggers: z.array(triggerSchema),
})
export type RunSpec = Readonly<z.infer<typeof runSpecSchema>>

export const RUN_STATUSES = ['active', 'done', 'failed', 'cancelled'] as const
export const runStatusSchema = z.enum(RUN_STATUSES)
export type RunStatus = z.infer<typeof runStatusSchema>

export const runFailureSchema = z.strictObject({
  class: z.enum(['user', 'source', 'system']),
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
  /** The folder of the failure bundle on the machine that wrote it, or null. */
  bundle: z.string().nullable(),
})
export type RunFailure = Readonly<z.infer<typeof runFailureSchema>>

export interface Run {
  readonly runId: string
  readonly spec: RunSpec
  readonly status: RunStatus
  /** Whether the last page was read and staged. */
  readonly extracted: boolean
  /** The index that the next batch gets. */
  readonly nextBatchIndex: number
  /** The cursor of the last page that is in a batch. */
  readonly resumeCursor: z.infer<typeof jsonSchema>
  /** What the high-water mark becomes when the run is done. */
  readonly mark: z.infer<typeof jsonSchema>
  /** The columns known so far, in the order of the table. */
  readonly columns: readonly z.infer<typeof columnSchema>[]
  /** How the run's table is partitioned; null until the first batch. */
  readonly partition: PartitionSpec | null
  readonly counts: RunCounts
  readonly failure: RunFailure | null
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly finishedAt: Date | null
}

export interface RunCounts {
  readonly pages: number
  readonly rowsStaged: number
  readonly bytesStaged: number
  readonly batchesStaged: number
  readonly batchesCommitted: number
  readonly rowsCommitted: number
  readonly bytesCommitted: number
  /** Rows that no pod could load, which are in the dead letters. */
  readonly rowsDead: number
}

/** The message in the queue; everything else of a batch is read from the state by its index. */
export const loadMessageSchema = z.strictObject({
  kind: z.enum(['batch', 'finish']),
  tag: commitTagSchema,
})
export type LoadMessage = Readonly<z.infer<typeof loadMessageSchema>>

export const batchRecordSchema = z.strictObject({
  parts: z.array(stagedPartSchema),
  /** All columns of the table as of this batch. */
  columns: z.array(columnSchema),
  rows: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  payloadBytes: z.int().nonnegative(),
})
export type BatchRecord = Readonly<z.infer<typeof batchRecordSchema>>

export interface DeadRow {
  readonly runId: string
  readonly batchIndex: number
  /** The primary key of the row as JSON, or its place in the part where the table has no key. */
  readonly key: z.infer<typeof jsonSchema>
  readonly payloadBytes: number
  readonly reason: string
  /** Where the row alone was staged, so that it can be tried again. */
  readonly partUri: string
}
