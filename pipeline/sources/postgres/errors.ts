import pg from 'pg'
import { DuckDbError } from '../../../platform/duckdb/session.ts'
import { type ErrorCode, LakeduelError, messageOf } from '../../../platform/errors.ts'
import type { ErrorRule, FailureClass } from '../source.ts'

interface Line {
  readonly code: string
  readonly class: FailureClass
  /** SQLSTATEs, or the first two characters of a class of them. */
  readonly states?: readonly string[]
  /** Codes of Node's sockets and of TLS, or how they begin. */
  readonly system?: readonly string[]
  /** DuckDB gives no codes: what it tells of Postgres, of libpq or of the object store, which write English here. */
  readonly duckDb?: RegExp
  /** What `pg` itself says, which has no code. */
  readonly client?: RegExp
  readonly ours?: readonly ErrorCode[]
  /** Null where what was said holds no values of the source and is told as it is. */
  readonly message: string | null
  readonly remedy: string
  readonly retryAfterMs?: number
}

/**
 * The first line that matches counts. `LakeduelError`s come first: they carry a message and a remedy for the case at hand.
 */
const LINES: readonly Line[] = [
  {
    code: 'table_missing',
    class: 'user',
    states: ['42P01', '3F000'],
    ours: ['TABLE_NOT_FOUND'],
    duckDb: /relation .* does not exist/,
    message: null,
    remedy:
      'Check the name of the table and `schemas`, and whether the table was dropped or renamed meanwhile.',
  },
  {
    code: 'column_changed',
    class: 'user',
    states: ['42703', '42804', '42883'],
    ours: ['SCHEMA_MISMATCH'],
    duckDb: /column .* does not exist/,
    message: null,
    remedy: 'Cancel the run and start another, which reads the table as it is now.',
  },
  {
    code: 'row_too_large',
    class: 'user',
    states: ['54000'],
    ours: ['ROW_TOO_LARGE'],
    duckDb: /invalid memory alloc request size|cannot enlarge string buffer|exceeds maximum allowed length/,
    message: null,
    remedy:
      'Give the extractor more memory, into which a row must fit about six times, or leave the wide column out with `excludeColumns`: as text no row may have more than 512 MiB.',
  },
  {
    code: 'not_resumable',
    class: 'user',
    ours: ['READ_NOT_RESUMABLE'],
    message: null,
    remedy: 'Cancel the run and start another; a key for the table (see `keys`) makes its reads resumable.',
  },
  {
    code: 'key_null',
    class: 'user',
    ours: ['KEY_NULL'],
    duckDb: /lakeduel: the key column/,
    message: null,
    remedy: 'Name columns in `keys` that are never NULL, infinite or NaN.',
  },
  {
    code: 'config_invalid',
    class: 'user',
    ours: ['CONFIG_INVALID'],
    message: null,
    remedy: 'Correct the configuration of the source.',
  },
  {
    code: 'bad_credentials',
    class: 'user',
    states: ['28'],
    duckDb: /password authentication failed|no pg_hba\.conf entry|role .* does not exist/,
    client: /password must be a string|no password/i,
    message: 'Postgres refuses the user or its password.',
    remedy: 'Check `user` and `password`, and whether pg_hba.conf lets this machine in.',
  },
  {
    code: 'permission_denied',
    class: 'user',
    states: ['42501'],
    duckDb: /permission denied/,
    message: null,
    remedy: 'Grant it: GRANT USAGE ON SCHEMA … and GRANT SELECT ON … to the user of the source.',
  },
  {
    code: 'database_missing',
    class: 'user',
    states: ['3D000'],
    message: null,
    remedy: 'Check `database`.',
  },
  {
    code: 'tls_refused',
    class: 'user',
    system: ['SELF_SIGNED_', 'DEPTH_ZERO_', 'UNABLE_TO_', 'CERT_', 'ERR_TLS_', 'HOSTNAME_MISMATCH'],
    duckDb: /certificate verify failed|server certificate .* does not match|root certificate file/,
    client: /does not support SSL/,
    message: null,
    remedy:
      'Give the authority that signed the certificate in `caFile`, use the host name that it names, or choose another `sslmode`.',
  },
  {
    code: 'host_unknown',
    class: 'user',
    system: ['ENOTFOUND'],
    duckDb: /could not translate host name/,
    message: 'The host name of the Postgres server is unknown.',
    remedy: 'Check `host`.',
  },
  {
    code: 'file_missing',
    class: 'user',
    system: ['ENOENT', 'EACCES'],
    message: 'The file of `caFile` cannot be read.',
    remedy: 'Check `caFile`.',
  },
  {
    code: 'invalid_utf8',
    class: 'user',
    states: ['22021', '22P05'],
    duckDb: /invalid byte sequence for encoding/,
    message:
      'A text of the source is not valid UTF-8, as a database with the encoding SQL_ASCII may hold it.',
    remedy:
      'Correct the row that follows the cursor, leave the column out with `excludeColumns`, or convert it in a view (convert_from).',
  },
  {
    code: 'value_fails',
    class: 'user',
    states: ['22', 'P0', '21'],
    message: 'An expression of a view, or a check of Postgres, fails on a row.',
    remedy:
      'Correct the view or the row that follows the cursor, or leave the column out with `excludeColumns`.',
  },
  {
    code: 'not_readable',
    class: 'user',
    states: ['55000', '0A000', '42809'],
    message: null,
    remedy:
      'Read another table: a materialised view has to be refreshed first, and some relations can only be read in parts.',
  },
  {
    code: 'read_conflict',
    class: 'source',
    states: ['40'],
    duckDb: /conflict with recovery|could not serialize access|deadlock detected/,
    message: 'Postgres ended the read because it was in the way: a replica that replays changes does so.',
    remedy:
      'It is tried again; on a replica, raise max_standby_streaming_delay, set hot_standby_feedback, or lower `fetch.transactionSeconds`.',
  },
  {
    code: 'timed_out',
    class: 'source',
    states: ['57014', '55P03', '25P03', '57P05', '25P04'],
    duckDb: /statement timeout|lock timeout|canceling statement due to user request/,
    message: 'Postgres ended a statement that took too long or was cancelled.',
    remedy:
      'It is tried again; raise `statementTimeoutMs`, or give the table an index that begins with the column it is read by.',
  },
  {
    code: 'too_many_connections',
    class: 'source',
    states: ['53300'],
    duckDb: /too many (clients|connections)|remaining connection slots/,
    message: 'The Postgres server has no free connection.',
    remedy: 'It is tried again; raise max_connections or run fewer syncs at once.',
  },
  {
    code: 'server_exhausted',
    class: 'source',
    states: ['53', '58'],
    message: 'The Postgres server is out of memory or disk, or failed to read its files.',
    remedy: 'It is tried again; look into the log of the server.',
  },
  {
    code: 'rows_widened',
    class: 'source',
    ours: ['ROWS_WIDENED'],
    message: null,
    remedy:
      "The read goes on row by row from the last cursor; set `fetch.path` to 'rows' to read all of it so.",
    retryAfterMs: 0,
  },
  {
    code: 'connection_lost',
    class: 'source',
    states: ['08', '57P01', '57P02', '57P03'],
    system: ['ECONN', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN', 'EPROTO'],
    duckDb:
      /server closed the connection|terminating connection|connection (to server .* failed|refused|reset|timed out)|unable to connect to postgres|no connection to the server|the database system is|could not receive data/i,
    client:
      /connection terminated|not queryable|timeout expired|connection ended unexpectedly|Client was closed/i,
    message: 'The connection to Postgres was lost or could not be made.',
    remedy: 'It is tried again from the last cursor; check `host`, `port` and that the server runs.',
  },
  {
    code: 'store_refused',
    class: 'user',
    duckDb: /HTTP 40[013]|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|NoSuchBucket/,
    message: 'The object store refuses the staged rows.',
    remedy: 'Check the key of the object store, its rights on the bucket, and that the bucket is there.',
  },
  {
    code: 'disk_full',
    class: 'user',
    duckDb: /no space left on device|max_temp_directory_size/i,
    message: 'The disk is full.',
    remedy: 'Free space in the folder for staging and spilling.',
  },
  {
    code: 'store_unreachable',
    class: 'source',
    duckDb: /HTTP 50\d|could not (establish|connect)|IO Error: .*(timeout|connection)|HTTP 429/i,
    message: 'The object store did not take the staged rows.',
    remedy: 'It is tried again; check that the object store is up.',
  },
]

function matches(line: Line, error: unknown): boolean {
  if (error instanceof LakeduelError) return line.ours?.includes(error.code) ?? false
  if (error instanceof DuckDbError) return line.duckDb?.test(error.message) ?? false
  if (error instanceof pg.DatabaseError) {
    const state = error.code ?? ''
    return line.states?.some((one) => state.startsWith(one)) ?? false
  }
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null
  return code === null
    ? (line.client?.test(error.message) ?? false)
    : (line.system?.some((one) => code.startsWith(one)) ?? false)
}

export const errorRules: readonly ErrorRule[] = LINES.map((line) => ({
  code: line.code,
  class: line.class,
  matches: (error) => matches(line, error),
  message: (error) => line.message ?? messageOf(error),
  remedy: line.remedy,
  retryAfterMs: () => line.retryAfterMs ?? null,
  examples: () => examplesOf(line),
}))

function examplesOf({ states = [], system = [], ours = [], code }: Line): readonly unknown[] {
  return [
    ...states.map((state) => databaseError(state.padEnd(5, '0'))),
    ...system.map((one) => Object.assign(new Error(`an example of ${one}`), { code: one })),
    ...ours.map((one) => new LakeduelError(one, `an example of ${code}`)),
  ]
}

function databaseError(state: string): pg.DatabaseError {
  const error = new pg.DatabaseError(`an example of ${state}`, 0, 'error')
  error.code = state
  return error
}
