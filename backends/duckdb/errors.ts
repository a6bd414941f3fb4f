import type { ErrorCode } from '../../platform/errors.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'

interface Translation {
  /** DuckDB gives no codes, so this table is the one place that reads its English text (Postgres runs with `lc_messages=C`). */
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly remedy: string
}

/** The first that matches counts: what a commit failed of stands behind the "Failed to commit" that all of them begin with. */
const TRANSLATIONS: readonly Translation[] = [
  {
    pattern:
      /transaction conflict|could not serialize access|exceeded the maximum retry count|deadlock detected|database is locked/i,
    code: 'COMMIT_CONFLICT',
    remedy: 'Apply the batch again, after a short random wait.',
  },
  {
    pattern: /no space left on device|disk full|max_temp_directory_size/i,
    code: 'DISK_FULL',
    remedy: 'Free space in the scratch folder, or point it to a larger disk.',
  },
  {
    pattern: /out of memory error|failed to allocate|could not allocate|bad_alloc/i,
    code: 'ENGINE_OUT_OF_MEMORY',
    remedy: 'Raise `memoryLimitBytes`, or stage the batch in smaller parts.',
  },
  {
    pattern: /password authentication failed|no pg_hba\.conf entry|role .* does not exist/i,
    code: 'POSTGRES_CREDENTIALS',
    remedy: 'Check the user and the password of the catalog.',
  },
  {
    // Where its connection to the catalog is cut in the middle of its own queries, DuckDB tells no more than a transaction that
    // is aborted, or a query that failed for no reason.
    pattern:
      /unable to connect to postgres|server closed the connection|terminating connection|connection refused.*port|current transaction is aborted|failed to execute query "[^"]*": *$/im,
    code: 'POSTGRES_UNREACHABLE',
    remedy: 'Check that the Postgres server of the catalog is up.',
  },
  {
    pattern: /NoSuchBucket/i,
    code: 'S3_BUCKET_MISSING',
    remedy: 'Create the bucket, or name one that exists.',
  },
  {
    pattern:
      /HTTP 40[13]|40[13] \((forbidden|unauthorized)\)|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch/i,
    code: 'S3_CREDENTIALS',
    remedy: 'Check the S3 access key, the secret and their rights on the bucket.',
  },
  {
    pattern: /no files found that match|HTTP 404|404 \(not found\)|no such file or directory/i,
    code: 'BATCH_INVALID',
    remedy: 'Stage the batch again: one of its parts is gone.',
  },
  {
    pattern:
      /could not establish connection|could not connect to server|HTTP 50\d|IO Error: .*(timeout|connection)/i,
    code: 'S3_UNREACHABLE',
    remedy: 'Check that the S3 endpoint is up.',
  },
  {
    pattern: /constraint error|conversion error|out of range/i,
    code: 'BATCH_INVALID',
    remedy: 'Correct the rows at their source, and stage the batch again.',
  },
]

/** DuckLake's own queries to its catalog, which are pages long. */
const WHOLE_QUERY = /(failed to execute query) "[^]*"(?=:)/i

/** What failed, as a {@link LakeduelError}; one that already is one stays as it is. */
export function translateError(
  error: unknown,
  doing: string,
  facts: Readonly<Record<string, unknown>> = {},
): LakeduelError {
  if (error instanceof LakeduelError) return error
  const message = messageOf(error)
  const translation = TRANSLATIONS.find(({ pattern }) => pattern.test(message))
  const told = message.replace(WHOLE_QUERY, '$1')
  return new LakeduelError(translation?.code ?? 'ENGINE_FAILED', `DuckDB failed while ${doing}: ${told}`, {
    facts,
    cause: error,
    ...(translation === undefined ? {} : { remedy: translation.remedy }),
  })
}

/** Runs an action of the engine and translates what it throws. */
export async function translated<T>(
  doing: string,
  facts: Readonly<Record<string, unknown>>,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw translateError(error, doing, facts)
  }
}
