import { z } from 'zod'
import type { ErrorCode } from '../../platform/errors.ts'
import { LakeduelError } from '../../platform/errors.ts'

/**
 * What to try about the codes that the sidecar answers with. Which engine error has which code is decided where those
 * errors are seen, in the sidecar's `errors.py`; a remedy that it knows itself comes with the answer.
 */
const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  USAGE: 'This is a defect of lakeduel: its two halves disagree about a request. Please report it.',
  S3_UNREACHABLE: 'See that the S3 endpoint is up and can be reached from here, then try again.',
  S3_CREDENTIALS: 'Check the access key, the secret key and what they may do in the bucket.',
  S3_BUCKET_MISSING: 'Create the bucket, or name one that exists.',
  DISK_FULL: 'Free space where the tables and the scratch folder lie.',
  TABLE_NOT_FOUND: 'Open the table first, which creates it.',
  SCHEMA_MISMATCH: 'Stage the rows in the types of the table, or evolve the table first.',
  BATCH_INVALID: 'Stage the batch again.',
  COMMIT_CONFLICT: 'Apply the batch again after a short, jittered wait.',
  ENGINE_OUT_OF_MEMORY:
    'Give the pod more memory, make batches smaller, or set stepPayloadBytes so that a batch is applied in steps.',
}

const codeSchema = z.enum([
  'USAGE',
  'S3_UNREACHABLE',
  'S3_CREDENTIALS',
  'S3_BUCKET_MISSING',
  'DISK_FULL',
  'TABLE_NOT_FOUND',
  'SCHEMA_MISMATCH',
  'BATCH_INVALID',
  'COMMIT_CONFLICT',
  'ENGINE_OUT_OF_MEMORY',
  'ENGINE_FAILED',
])

export const sidecarErrorSchema = z.object({
  code: codeSchema,
  message: z.string(),
  remedy: z.string().optional(),
  facts: z.record(z.string(), z.unknown()),
})
export type SidecarError = z.infer<typeof sidecarErrorSchema>

export function errorOf({ code, message, remedy, facts }: SidecarError): LakeduelError {
  const known = remedy ?? REMEDIES[code]
  return new LakeduelError(code, message, { facts, ...(known === undefined ? {} : { remedy: known }) })
}

/** How a process ended, as Node tells it. */
export interface ProcessEnd {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** The end of what it wrote to stderr. */
  readonly stderr: string
}

/** Rust aborts with this line when an allocation fails, which no code of ours can catch. */
const ALLOCATION_FAILED = /memory allocation of \d+ bytes failed/

/**
 * The error of a request whose sidecar ended before it answered. SIGKILL is what a memory cap ends it with, and what
 * an operator does; only the pod's own counters tell which.
 */
export function deathOf({ exitCode, signal, stderr }: ProcessEnd): LakeduelError {
  const how = signal === null ? `with exit code ${exitCode}` : `by ${signal}`
  if (ALLOCATION_FAILED.test(stderr)) {
    return new LakeduelError('ENGINE_OUT_OF_MEMORY', `the sidecar ran out of memory and was ended ${how}`, {
      facts: { exitCode, signal, stderr },
      remedy: 'Give the pod more memory, or make batches smaller.',
    })
  }
  return new LakeduelError('SIDECAR_DIED', `the sidecar ended ${how} before it answered`, {
    facts: { exitCode, signal, stderr },
    remedy:
      signal === 'SIGKILL'
        ? 'See whether the pod reached its memory cap; connect again to go on, a batch that was not committed is applied again.'
        : 'Read its last lines in the facts of this error, and connect again to go on.',
  })
}
