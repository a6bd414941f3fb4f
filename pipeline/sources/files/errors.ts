import { errorCode } from '../../../platform/disk.ts'
import { DuckDbError } from '../../../platform/duckdb/session.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import type { ErrorRule } from '../source.ts'

const REMEDIES = {
  no_files: 'Check the location, and `format` where the endings of the files do not tell it.',
  mixed_formats: 'Name the files of one format with a glob, and sync the others as tables of their own.',
  invalid_utf8: 'Write the file in UTF-8, or leave that line out.',
  nul_character: 'Remove the NUL characters; the file may be cut off, or no text at all.',
  broken_json: 'Correct the line: each one must be a whole JSON object.',
  broken_csv: 'Correct the line, or set `delimiter`, `quote` and `header` to how the file was written.',
  broken_gzip: 'Write the file again; it is damaged, or not what its ending says.',
  wide_row_group:
    'Write the file with fewer rows in a row group, or raise `maxRowBytes`, and the memory of the extractor with it.',
  file_changed:
    'Write files under another name and rename them when they are whole; then start the sync again.',
} as const
export type BadFileCode = keyof typeof REMEDIES

/** Something that is wrong with a file, told with its name and, where it has lines, the line. */
export class BadFile extends Error {
  override readonly name = 'BadFile'
  readonly code: BadFileCode

  constructor(code: BadFileCode, message: string) {
    super(message)
    this.code = code
  }
}

const badFileRules: readonly ErrorRule[] = Object.entries(REMEDIES).map(([code, remedy]) => ({
  code,
  class: 'user',
  matches: (error) => error instanceof BadFile && error.code === code,
  message: (error) => (error instanceof BadFile ? error.message : code),
  remedy,
  examples: () =>
    Object.keys(REMEDIES)
      .filter(isCode)
      .filter((known) => known === code)
      .map((known) => new BadFile(known, 'line 3 of a.csv is odd')),
}))

function isCode(text: string): text is BadFileCode {
  return Object.hasOwn(REMEDIES, text)
}

/** DuckDB gives no codes. Its messages quote the statement, and so the names of files, but no values. */
const DUCKDB_TELLS = {
  broken: /no magic bytes|too small to be a parquet|footer length|parquet file|thrift|snappy|zstd|corrupt/i,
  refused: /HTTP 40[13]|40[13] \((?:forbidden|unauthorized)\)|AccessDenied|InvalidAccessKeyId/i,
  away: /HTTP (?:429|5\d\d)|could not establish connection|could not connect|connection error|timeout/i,
} as const

function duckDbTells(error: unknown, what: keyof typeof DUCKDB_TELLS): boolean {
  return error instanceof DuckDbError && DUCKDB_TELLS[what].test(error.message)
}

function isLakeduelError(error: unknown, code: RegExp): error is LakeduelError {
  return error instanceof LakeduelError && code.test(error.code)
}

const storeRules: readonly ErrorRule[] = [
  {
    code: 'object_store_away',
    class: 'source',
    matches: (error) => isLakeduelError(error, /^S3_UNREACHABLE$/) || duckDbTells(error, 'away'),
    message: (error) =>
      error instanceof LakeduelError ? error.message : 'The S3 endpoint cannot be reached.',
    remedy: 'Check the endpoint; the sync tries again by itself.',
    examples: () => [
      new LakeduelError('S3_UNREACHABLE', 'The S3 endpoint cannot be reached.'),
      new DuckDbError('HTTP Error: HTTP 503'),
    ],
  },
  {
    code: 'object_store_refuses',
    class: 'user',
    matches: (error) => isLakeduelError(error, /^S3_/) || duckDbTells(error, 'refused'),
    message: (error) =>
      error instanceof LakeduelError ? error.message : 'The S3 endpoint refuses the credentials.',
    remedy: 'Check `accessKeyId`, `secretAccessKey`, `region` and the bucket in `location`.',
    examples: () => [
      new LakeduelError('S3_CREDENTIALS', 'The S3 endpoint refuses the credentials.'),
      new DuckDbError('HTTP Error: HTTP 403'),
    ],
  },
]

export const errors: readonly ErrorRule[] = [
  ...badFileRules,
  {
    code: 'file_missing',
    class: 'user',
    matches: (error) => errorCode(error) === 'ENOENT',
    message: () => 'A file or folder is not there.',
    remedy: 'Check the location; a file that was listed may have been removed since.',
    examples: () => [Object.assign(new Error('no such file'), { code: 'ENOENT' })],
  },
  {
    code: 'file_forbidden',
    class: 'user',
    matches: (error) => ['EACCES', 'EPERM'].includes(errorCode(error) ?? ''),
    message: () => 'A file or folder may not be read.',
    remedy: 'Give the user that runs the sync the right to read it.',
    examples: () => [Object.assign(new Error('permission denied'), { code: 'EACCES' })],
  },
  ...storeRules,
  {
    code: 'broken_parquet',
    class: 'user',
    matches: (error) => duckDbTells(error, 'broken'),
    message: () => 'A Parquet file cannot be read.',
    remedy: 'Write the file again; it is damaged, or not what its ending says.',
    examples: () => [new DuckDbError("Invalid Input Error: No magic bytes found at end of file 'a.parquet'")],
  },
]
