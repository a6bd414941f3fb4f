import { type ErrorCode, LakeduelError, messageOf } from '../../platform/errors.ts'
import { shortened } from '../sources/errors.ts'
import type { RunFailure } from '../state/model.ts'

/** What a person must put right, at the source or in the settings; trying again changes nothing. */
const USER_ERRORS: ReadonlySet<ErrorCode> = new Set([
  'SCHEMA_MISMATCH',
  'BATCH_INVALID',
  'CONFIG_INVALID',
  'S3_CREDENTIALS',
  'S3_BUCKET_MISSING',
  'S3_NO_PUT_IF_ABSENT',
  'POSTGRES_CREDENTIALS',
  'STRATEGY_UNAVAILABLE',
  'TOOL_MISSING',
])

/** A person must put it right, but may do so while it is tried again. */
const PASSING_USER_ERRORS: ReadonlySet<ErrorCode> = new Set(['DISK_FULL'])

export function failureOf(error: unknown): RunFailure {
  const known = error instanceof LakeduelError ? error : null
  return {
    class: known !== null && isUsers(known.code) ? 'user' : 'system',
    code: known?.code ?? 'UNEXPECTED',
    message: shortened(messageOf(error)),
    remedy: known?.remedy ?? 'Correct the cause, then revive the run with `lakeduel runs retry`.',
    bundle: null,
  }
}

function isUsers(code: ErrorCode): boolean {
  return USER_ERRORS.has(code) || PASSING_USER_ERRORS.has(code)
}

export function isRetryable(error: unknown): boolean {
  return !(error instanceof LakeduelError && USER_ERRORS.has(error.code))
}
