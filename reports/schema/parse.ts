import { z } from 'zod'
import { RESULTS_SCHEMA_VERSION, type Results, resultsSchema } from './results.ts'
import { migrateV1, resultsV1Schema } from './v1.ts'

/** A results file that can't be read. The command line maps it to `RESULTS_CORRUPT`. */
export class ResultsCorruptError extends Error {
  override readonly name = 'ResultsCorruptError'
  readonly code = 'RESULTS_CORRUPT'
  /** The first field that is wrong, as `cells[3].metrics`; empty when the whole text is no JSON object. */
  readonly path: string
  readonly remedy: string

  constructor(path: string, problem: string, remedy: string, cause?: unknown) {
    super(`The results file cannot be read: ${path === '' ? '' : `${path}: `}${problem}.`, { cause })
    this.path = path
    this.remedy = remedy
  }
}

/**
 * Parses the text of a results file of this or an earlier schema version.
 * @throws ResultsCorruptError when it is no JSON, of a later schema version, or has a wrong field
 */
export function parseResults(text: string): Results {
  const json = parseJson(text, '')
  const version = z.object({ schemaVersion: z.number() }).safeParse(json).data?.schemaVersion
  if (version === 1) return checked(resultsSchema, migrateV1(checked(resultsV1Schema, json, '')), '')
  if (version !== undefined && version !== RESULTS_SCHEMA_VERSION) {
    throw new ResultsCorruptError(
      'schemaVersion',
      `it is ${version}, and this lakeduel reads versions 1 to ${RESULTS_SCHEMA_VERSION}`,
      'Use the lakeduel release that wrote the file, or run the benchmark again into another folder.',
    )
  }
  return checked(resultsSchema, json, '')
}

/** @throws ResultsCorruptError naming the first field that is wrong, below `where` */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  where: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue === undefined ? '' : z.core.toDotPath(issue.path)
  throw new ResultsCorruptError(
    [where, field].filter((part) => part !== '').join(': '),
    issue?.message ?? 'it is no results file',
    'Restore the file from a copy, or start over without --resume into another folder.',
    parsed.error,
  )
}

/** @throws ResultsCorruptError at `where` when the text is no JSON */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ResultsCorruptError(
      where,
      `it is no JSON (${cause instanceof Error ? cause.message : String(cause)})`,
      'It may have been cut off while it was written: restore a copy, or start over without --resume.',
      cause,
    )
  }
}
