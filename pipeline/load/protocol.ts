/**
 * What a worker and its load process say to each other: JSON lines on stdin and stdout, one request at a time. No row
 * crosses them, and secrets only on stdin. The process ends when its stdin closes, so that it never outlives its worker.
 */
import { z } from 'zod'
import {
  applyModeSchema,
  armSchema,
  backendEnvironmentSchema,
  commitTagSchema,
  stagedBatchSchema,
} from '../../backends/backend.ts'
import { columnSchema } from '../../backends/schema.ts'

/** The first line: whom to connect. */
export const loadSetupSchema = z.strictObject({
  arm: armSchema,
  environment: backendEnvironmentSchema,
  settings: z.record(z.string(), z.unknown()),
})
export type LoadSetup = Readonly<z.infer<typeof loadSetupSchema>>

/** A lake table as the pipeline wants it; what is stored may differ and is evolved towards it. */
export const loadTargetSchema = z.strictObject({
  table: z.string(),
  /** The table that this one is to replace when it is whole, or null. */
  shadowOf: z.string().nullable(),
  columns: z.array(columnSchema).min(1).readonly(),
  primaryKey: z.array(z.string()).readonly(),
  partitionBy: z.string().nullable(),
})
export type LoadTarget = Readonly<z.infer<typeof loadTargetSchema>>

/** A shadow whose columns may not be known, because no row of it was seen. */
const shadowSchema = loadTargetSchema.extend({
  shadowOf: z.string(),
  columns: z.array(columnSchema).readonly(),
})
export type ShadowTarget = Readonly<z.infer<typeof shadowSchema>>

export const loadRequestSchema = z.discriminatedUnion('verb', [
  z.strictObject({
    verb: z.literal('apply'),
    target: loadTargetSchema,
    batch: stagedBatchSchema,
    mode: applyModeSchema,
    tag: commitTagSchema,
    /** Applies nothing when a slice was committed under this run, and tells how far; null doesn't ask. */
    unlessSlicedAs: z.string().nullable(),
    /** For a slice: the row that the one before it ended before, which must be how far the batch is; else `SLICE_MOVED`. */
    fromRow: z.int().nonnegative().nullable(),
  }),
  /** Whether a batch is committed, and its slices how far. */
  z.strictObject({
    verb: z.literal('progress'),
    target: loadTargetSchema,
    tag: commitTagSchema,
    slicedAs: z.string(),
  }),
  /** Stages rows `fromRow` up to `toRow` of a batch once more, as parts of their own below `prefix`. */
  z.strictObject({
    verb: z.literal('slice'),
    batch: stagedBatchSchema,
    fromRow: z.int().nonnegative(),
    toRow: z.int().positive(),
    prefix: z.string(),
    keyColumns: z.array(z.string()).readonly(),
  }),
  /** Puts a shadow in its target's place; without any batch there is none yet, and an empty one is made. */
  z.strictObject({ verb: z.literal('switch'), shadow: shadowSchema, tag: commitTagSchema }),
  z.strictObject({ verb: z.literal('drop'), table: z.string(), shadowOf: z.string().nullable() }),
  z.strictObject({ verb: z.literal('maintain'), target: loadTargetSchema, minFiles: z.int().positive() }),
])
export type LoadRequest = Readonly<z.infer<typeof loadRequestSchema>>

export const appliedSchema = z.looseObject({
  /** The row that the last committed slice ends before, and then nothing was applied; null when there is none. */
  slicedThrough: z.int().nullable(),
  alreadyApplied: z.boolean(),
  rowsRead: z.int(),
  rowsInserted: z.int().nullable(),
  rowsUpdated: z.int().nullable(),
  commits: z.int(),
  attempts: z.int(),
  version: z.string(),
  addedColumns: z.array(z.string()),
  widenedColumns: z.array(z.string()),
})
export type Applied = Readonly<z.infer<typeof appliedSchema>>

export const progressSchema = z.object({ applied: z.boolean(), slicedThrough: z.int().nullable() })
export type Progress = Readonly<z.infer<typeof progressSchema>>

export const slicedSchema = z.object({
  batch: stagedBatchSchema,
  /** The key of the first row as text, null where there are no key columns. */
  firstKey: z.record(z.string(), z.string().nullable()).nullable(),
})
export type Sliced = Readonly<z.infer<typeof slicedSchema>>

/** `switched` is false for a table of which nothing is known: no columns, no rows, nothing stored. */
export const switchedSchema = z.object({ switched: z.boolean() })

export const maintainedSchema = z.object({
  filesBefore: z.int(),
  filesAfter: z.int(),
  durationMs: z.number(),
})

export const loadReplySchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('ready'), processes: z.record(z.string(), z.int()) }),
  z.strictObject({ status: z.literal('done'), result: z.unknown() }),
  z.strictObject({
    status: z.literal('failed'),
    code: z.string(),
    message: z.string(),
    remedy: z.string().nullable(),
    facts: z.record(z.string(), z.unknown()),
  }),
])
export type LoadReply = Readonly<z.infer<typeof loadReplySchema>>
