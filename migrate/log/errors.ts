import { LakeduelError } from '../../platform/errors.ts'

/** A log, or a file that it names, can't be taken at its word. Names the file and what is wrong with it. */
export function brokenLog(file: string, problem: string, cause?: unknown): LakeduelError {
  return new LakeduelError('SOURCE_BROKEN', `${file} ${problem}.`, {
    facts: { file, problem },
    remedy:
      'Repair the table with the engine that wrote it (RESTORE, FSCK REPAIR TABLE), or name an older version with --as-of.',
    cause,
  })
}

/** The table asks of its readers what nobody here can give. */
export function unsupportedTable(uri: string, problem: string, remedy: string): LakeduelError {
  return new LakeduelError('SOURCE_UNSUPPORTED', `The Delta table ${uri} ${problem}.`, {
    facts: { uri, problem },
    remedy,
  })
}
