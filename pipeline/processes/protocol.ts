/**
 * What `lakeduel sync` and its two kinds of children say to each other. A child reads one request, a JSON line on stdin,
 * and writes events as JSON lines on stdout. SIGTERM drains it, and so does the end of stdin, which is how it learns that
 * its parent died.
 */
import { z } from 'zod'
import { surroundingsSchema } from '../lake.ts'
import { runFailureSchema } from '../state/model.ts'

/** See `QueuePolicy`. */
const queuePolicySchema = z.strictObject({
  claimTtlMs: z.int().positive(),
  maxAttempts: z.int().positive(),
  maxLosses: z.int().positive(),
  backoffMs: z.int().nonnegative(),
})

export const extractRequestSchema = z.strictObject({
  surroundings: surroundingsSchema,
  runId: z.string(),
  /** A name of the registry, or the path of a folder. */
  source: z.string(),
  /** Secrets included. */
  sourceConfig: z.record(z.string(), z.unknown()),
  memoryBytes: z.int().positive().nullable(),
  graceMs: z.int().positive(),
  /** Staged bytes that wait to be loaded, from which on the extractor pauses. */
  maxStagedBytes: z.int().positive(),
  leaseTtlMs: z.int().positive(),
  /** Waits for another extractor of the run instead of ending. */
  wait: z.boolean(),
  bundleDir: z.string(),
  includeValues: z.boolean(),
  /** Bounds in place of those that follow from the memory: what the user chose, and what was learnt from kills. */
  limits: z.strictObject({
    batchRows: z.int().positive().optional(),
    batchBytes: z.int().positive().optional(),
    pageRows: z.int().positive().optional(),
    maxRowBytes: z.int().positive().optional(),
  }),
})
export type ExtractRequest = Readonly<z.infer<typeof extractRequestSchema>>

export const workerRequestSchema = z.strictObject({
  surroundings: surroundingsSchema,
  memoryBytes: z.int().positive().nullable(),
  concurrency: z.int().positive(),
  graceMs: z.int().positive(),
  requestDeadlineMs: z.int().positive(),
  queue: queuePolicySchema,
})
export type WorkerRequest = Readonly<z.infer<typeof workerRequestSchema>>

export const extractEventSchema = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('progress'),
    /** Since this process started. */
    pages: z.int(),
    rows: z.int(),
    bytes: z.int(),
    /** The extractor waits for loaders, or for the source to answer again. */
    waiting: z.enum(['loaders', 'source']).nullable(),
  }),
  z.strictObject({
    event: z.literal('end'),
    status: z.enum(['extracted', 'drained', 'failed', 'held', 'lost']),
    failure: runFailureSchema.nullable(),
    /** Who has the run, when it is held by another extractor. */
    holder: z.string().nullable(),
  }),
])
export type ExtractEvent = Readonly<z.infer<typeof extractEventSchema>>

export const workerEventSchema = z.looseObject({ event: z.string(), runId: z.string().optional() })
