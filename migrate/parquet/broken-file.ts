import { translateError } from '../../backends/duckdb/errors.ts'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { escapedGlob, literal } from '../../platform/duckdb/sql.ts'
import { type ErrorCode, LakeduelError, messageOf } from '../../platform/errors.ts'

const FAILED: ReadonlySet<ErrorCode> = new Set(['ENGINE_FAILED', 'BATCH_INVALID'])

/**
 * Looks for a data file as the reason of what the engine threw, since DuckDB often doesn't name it: reads them one by one.
 * @returns the error that names the first one that can't be read; null where all can, or the reason is another one
 */
export async function brokenDataFile(
  session: DuckDbSession,
  uris: readonly string[],
  error: unknown,
): Promise<LakeduelError | null> {
  // An engine that has failed within itself reads no file any more.
  return isFailure(error) && !/INTERNAL|FATAL/.test(messageOf(error)) ? firstUnreadable(session, uris) : null
}

/** Whether the engine failed of what it was to do, and not of a lost connection, memory, or another client. */
export function isFailure(error: unknown): boolean {
  return FAILED.has(translateError(error, '').code)
}

/** The first of some data files whose rows can't be read, as the error that says so; null where all can. */
export async function firstUnreadable(
  session: DuckDbSession,
  uris: readonly string[],
): Promise<LakeduelError | null> {
  for (const uri of uris) {
    const file = `read_parquet(${literal(escapedGlob(uri))}, hive_partitioning = false)`
    try {
      await session.run(`SELECT count(hash(data_file)) FROM ${file} AS data_file`)
    } catch (cause) {
      return unreadable(uri, cause)
    }
  }
  return null
}

/** A data file that can't be read, with what is wrong with it. */
export function unreadable(uri: string, cause: unknown): LakeduelError {
  const message = messageOf(cause)
  const problem = /no files found|no such file|404|not found/i.test(message)
    ? 'is missing, and the table needs it'
    : `can't be read as Parquet: ${message.split('\n')[0]}`
  return new LakeduelError('SOURCE_BROKEN', `${uri} ${problem}.`, {
    facts: { file: uri, problem },
    remedy:
      'Bring the file back and run it again, or repair the table with the engine that wrote it (RESTORE, FSCK REPAIR TABLE), or name an older version with --as-of. Where a part was moved already, `lakeduel migrate rollback` takes that back first.',
    cause,
  })
}
