/** What a scenario and its writers, several processes on one lake, say to one another; beside `protocol.ts`. */
import { z } from 'zod'
import {
  applyModeSchema,
  armSchema,
  backendEnvironmentSchema,
  stagedBatchSchema,
} from '../../backends/backend.ts'
import { tableSchema } from '../../backends/schema.ts'
import { COORDINATIONS } from '../../pipeline/coordination/coordinator.ts'

/** Opens a table through an arm and then, told to `go`, applies its batches one by one, or maintains the table. */
export const writerRequestSchema = z.strictObject({
  arm: armSchema,
  environment: backendEnvironmentSchema,
  settings: z.record(z.string(), z.unknown()),
  table: tableSchema,
  /** What the table's writers call it among themselves. */
  uri: z.string(),
  coordination: z.enum(COORDINATIONS),
  /** What the caller of the engine does about a conflict. */
  replay: z.strictObject({
    tries: z.int().positive(),
    firstWaitMs: z.number(),
    longestWaitMs: z.number(),
  }),
  /** Appended before the writer is ready, to a table that it has for itself. */
  seed: stagedBatchSchema.nullable(),
  work: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('write'),
      batches: z.array(stagedBatchSchema).readonly(),
      mode: applyModeSchema,
      runId: z.string(),
      /** Those that the batches touch; null is all. */
      partitions: z.array(z.string()).readonly().nullable(),
    }),
    z.strictObject({ kind: z.literal('maintain'), rounds: z.int().positive(), pauseMs: z.int() }),
  ]),
})
export type WriterRequest = z.infer<typeof writerRequestSchema>

/** Times are milliseconds since the writer was told to go. */
export const writerDoneSchema = z.strictObject({
  event: z.literal('done'),
  wallMs: z.number(),
  /** One for each batch that was committed, or for each maintenance. */
  commits: z.array(
    z.strictObject({ endedAtMs: z.number(), latencyMs: z.number(), batchesTogether: z.int() }),
  ),
  /** Calls of the engine by this process, whoever's batches they were for. */
  attempts: z.array(
    z.strictObject({
      durationMs: z.number(),
      batches: z.int(),
      /** `CODE: message` of what it failed with, or null. */
      failure: z.string().nullable(),
    }),
  ),
  /** `CODE: message` of each batch that was given up. */
  abandoned: z.array(z.string()),
})
export type WriterDone = z.infer<typeof writerDoneSchema>
