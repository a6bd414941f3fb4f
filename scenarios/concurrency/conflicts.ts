/** The kinds of failures that writers meet. Engines give most of them one code, so they are told apart by their words. */
const KINDS = [
  /** The engine tried the commit again by itself, as often as it may. */
  {
    kind: 'retriesExhausted',
    pattern: /exceeded the maximum retry count|Failed to commit transaction: \d+$|retries/i,
  },
  /** Postgres would not let two transactions have been one after the other. */
  { kind: 'serialization', pattern: /could not serialize|deadlock detected/i },
  /** The engine found that the other commit contradicts this one. */
  { kind: 'logical', pattern: /^COMMIT_CONFLICT/ },
  { kind: 'outOfMemory', pattern: /^ENGINE_OUT_OF_MEMORY/ },
  /** A connection or a server was not there. */
  { kind: 'unreachable', pattern: /^(S3|POSTGRES)_UNREACHABLE|^SIDECAR_DIED/ },
  /** A file that the engine was about to read was gone. */
  { kind: 'fileGone', pattern: /HTTP 404|no files found|NoSuchKey|not found/i },
] as const

export type ConflictKind = (typeof KINDS)[number]['kind'] | 'other'

/** @param failure `CODE: message` */
export function conflictKind(failure: string): ConflictKind {
  return KINDS.find(({ pattern }) => pattern.test(failure))?.kind ?? 'other'
}
