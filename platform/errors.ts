/**
 * What a caller should do about an error:
 * - `transient`: the same call may succeed later (a lost connection, a timeout);
 * - `conflict`: another writer committed first: run the whole statement again, with jittered backoff;
 * - `terminal`: nothing but a change by a person helps (bad input, missing tool, wrong credentials).
 */
export type ErrorKind = 'transient' | 'conflict' | 'terminal'

/** One registry of stable codes. `exitCode` is what the command line ends with when the error reaches `main()`. */
export const ERROR_CODES = {
  USAGE: { kind: 'terminal', exitCode: 2 },
  CONFIG_INVALID: { kind: 'terminal', exitCode: 2 },
  TOOL_MISSING: { kind: 'terminal', exitCode: 3 },
  SETUP_FAILED: { kind: 'terminal', exitCode: 3 },
  S3_UNREACHABLE: { kind: 'transient', exitCode: 4 },
  S3_CREDENTIALS: { kind: 'terminal', exitCode: 4 },
  S3_BUCKET_MISSING: { kind: 'terminal', exitCode: 4 },
  S3_NO_PUT_IF_ABSENT: { kind: 'terminal', exitCode: 4 },
  POSTGRES_UNREACHABLE: { kind: 'transient', exitCode: 4 },
  POSTGRES_CREDENTIALS: { kind: 'terminal', exitCode: 4 },
  PROXY_GONE: { kind: 'terminal', exitCode: 4 },
  PORT_IN_USE: { kind: 'terminal', exitCode: 4 },
  DISK_FULL: { kind: 'terminal', exitCode: 5 },
  STATE_TOO_NEW: { kind: 'terminal', exitCode: 3 },
  RUN_NOT_FOUND: { kind: 'terminal', exitCode: 1 },
  RUN_IN_PROGRESS: { kind: 'terminal', exitCode: 6 },
  RUN_NOT_ACTIVE: { kind: 'terminal', exitCode: 1 },
  LEASE_LOST: { kind: 'terminal', exitCode: 1 },
  TABLE_NOT_FOUND: { kind: 'terminal', exitCode: 1 },
  SOURCE_BROKEN: { kind: 'terminal', exitCode: 1 },
  SOURCE_UNSUPPORTED: { kind: 'terminal', exitCode: 1 },
  TABLE_EXISTS: { kind: 'terminal', exitCode: 1 },
  MIGRATION_REFUSED: { kind: 'terminal', exitCode: 1 },
  MIGRATION_DIFFERS: { kind: 'terminal', exitCode: 1 },
  PROOF_FAILED: { kind: 'terminal', exitCode: 1 },
  EXTRACTOR_DIED: { kind: 'terminal', exitCode: 1 },
  READ_NOT_RESUMABLE: { kind: 'terminal', exitCode: 1 },
  ROW_TOO_LARGE: { kind: 'terminal', exitCode: 1 },
  ROWS_WIDENED: { kind: 'transient', exitCode: 1 },
  KEY_NULL: { kind: 'terminal', exitCode: 1 },
  SCHEMA_MISMATCH: { kind: 'terminal', exitCode: 1 },
  BATCH_INVALID: { kind: 'terminal', exitCode: 1 },
  SLICE_MOVED: { kind: 'terminal', exitCode: 1 },
  COMMIT_CONFLICT: { kind: 'conflict', exitCode: 1 },
  ENGINE_OUT_OF_MEMORY: { kind: 'terminal', exitCode: 1 },
  ENGINE_FAILED: { kind: 'terminal', exitCode: 1 },
  ENGINE_HUNG: { kind: 'transient', exitCode: 1 },
  SIDECAR_DIED: { kind: 'transient', exitCode: 1 },
  TRIGGER_FAILED: { kind: 'transient', exitCode: 1 },
  POD_FAILED: { kind: 'terminal', exitCode: 1 },
  STRATEGY_UNAVAILABLE: { kind: 'terminal', exitCode: 3 },
  RESULTS_CORRUPT: { kind: 'terminal', exitCode: 2 },
  INTERRUPTED: { kind: 'terminal', exitCode: 130 },
} as const satisfies Record<string, { kind: ErrorKind; exitCode: number }>

export type ErrorCode = keyof typeof ERROR_CODES

export interface ErrorDetails {
  /** The values that the message speaks of, for logs and `--json`. Never a secret. */
  readonly facts?: Readonly<Record<string, unknown>>
  /** What the reader can try, as a full sentence. */
  readonly remedy?: string
  readonly cause?: unknown
}

/** The one error type that crosses a module boundary: what happened, with which values, and what to try. */
export class LakeduelError extends Error {
  override readonly name = 'LakeduelError'
  readonly code: ErrorCode
  readonly facts: Readonly<Record<string, unknown>>
  readonly remedy: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.facts = details.facts ?? {}
    this.remedy = details.remedy
  }

  get kind(): ErrorKind {
    return ERROR_CODES[this.code].kind
  }

  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
