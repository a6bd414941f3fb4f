/**
 * What the orchestrator and its child processes say to one another: JSON lines, the request and then commands on stdin,
 * events on stdout. Requests hold secrets, so they never travel in argv.
 */
import { z } from 'zod'
import {
  applyModeSchema,
  armSchema,
  backendEnvironmentSchema,
  stagedBatchSchema,
} from '../../backends/backend.ts'
import { tableSchema } from '../../backends/schema.ts'

const sliceSchema = z.strictObject({ sql: z.string(), rows: z.int().nonnegative() })
const batchPlanSchema = z.array(z.array(z.array(sliceSchema).readonly()).readonly())

/** Generates data: stages batches as Parquet parts below `path` of the storage, and computes the oracle's expectation. */
export const stageRequestSchema = z.strictObject({
  environment: backendEnvironmentSchema,
  table: tableSchema,
  sets: z.array(z.strictObject({ path: z.string(), batches: batchPlanSchema.readonly() })),
  expected: z.array(sliceSchema).readonly(),
  probes: z.array(z.strictObject({ key: z.int(), row: sliceSchema.nullable() })).readonly(),
})
export type StageRequest = z.infer<typeof stageRequestSchema>

/** Opens a table through an arm and then, told to `go`, applies batches or maintains the table. */
export const loaderRequestSchema = z.strictObject({
  arm: armSchema,
  environment: backendEnvironmentSchema,
  settings: z.record(z.string(), z.unknown()),
  table: tableSchema,
  work: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('apply'),
      batches: z.array(stagedBatchSchema).readonly(),
      mode: applyModeSchema,
      runId: z.string(),
      /** Of the first of these batches in its run. */
      firstBatchIndex: z.int().nonnegative(),
      /** Applied together, in one commit; 1 where it isn't told. */
      batchesPerCommit: z.int().positive().optional(),
    }),
    z.strictObject({ kind: z.literal('maintain') }),
    /** Looks at the table, and tells what `TableDescription` says of it as the engine's figures. */
    z.strictObject({ kind: z.literal('describe') }),
  ]),
})
export type LoaderRequest = z.infer<typeof loaderRequestSchema>

/** What a table should hold: the oracle's expectation, made without a backend. */
export const expectationSchema = z.strictObject({
  rows: z.int().nonnegative(),
  distinctKeys: z.int().nonnegative(),
  contentHash: z.string(),
  /** For each probed key the hash of its row, or null where no row has it. */
  probes: z.array(z.strictObject({ key: z.int(), rowHash: z.string().nullable() })),
})
export type Expectation = z.infer<typeof expectationSchema>

/** Attaches a table freshly and, told to `go`, times one query; then checks the content where an expectation is given. */
export const readerRequestSchema = z.strictObject({
  arm: armSchema,
  environment: backendEnvironmentSchema,
  table: tableSchema,
  query: z.strictObject({ beforeRelation: z.string(), afterRelation: z.string() }),
  expectation: expectationSchema.nullable(),
  /** Tables that are read with it, as one. */
  unionWith: z.array(z.string()).readonly(),
})

export const commandSchema = z.strictObject({ command: z.enum(['go', 'exit']) })

/** The child stands ready; what it did so far is its floor. `processes` are itself and its own children, by role. */
export const readyEventSchema = z.strictObject({
  event: z.literal('ready'),
  processes: z.record(z.string(), z.int()),
  settings: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()),
})

/** A sign of life with what is done so far, for the display and the watchdog. */
export const progressEventSchema = z.strictObject({
  event: z.literal('progress'),
  done: z.int(),
  total: z.int(),
})

export const errorEventSchema = z.strictObject({
  event: z.literal('error'),
  code: z.string(),
  message: z.string(),
  remedy: z.string().nullable(),
})

export const stageDoneSchema = z.strictObject({
  event: z.literal('done'),
  /** The staged batches of each set of the request. */
  sets: z.array(z.array(stagedBatchSchema)),
  expectation: expectationSchema,
})

export const loaderDoneSchema = z.strictObject({
  event: z.literal('done'),
  wallMs: z.number(),
  /** How long each batch took, in order. */
  batchMs: z.array(z.number()),
  rowsRead: z.int(),
  commits: z.int(),
  attempts: z.int(),
  engine: z.record(z.string(), z.number()),
})
export type LoaderDone = z.infer<typeof loaderDoneSchema>

/** The timed query has ended; the check comes after it. */
export const readerDoneSchema = z.strictObject({ event: z.literal('done'), wallMs: z.number() })

export const checkedEventSchema = z.strictObject({
  event: z.literal('checked'),
  rows: z.int(),
  distinctKeys: z.int(),
  contentHash: z.string(),
  checks: z.array(z.string()),
  findings: z.array(z.strictObject({ check: z.string(), expected: z.string(), actual: z.string() })),
})
export type CheckedEvent = z.infer<typeof checkedEventSchema>
