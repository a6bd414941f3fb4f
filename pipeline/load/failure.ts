import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorCode, LakeduelError, messageOf } from '../../platform/errors.ts'
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

export function failureOf(error: unknown): RunFailure {
  const known = error instanceof LakeduelError ? error : null
  return {
    class: known !== null && USER_ERRORS.has(known.code) ? 'user' : 'system',
    code: known?.code ?? 'UNEXPECTED',
    message: messageOf(error),
    remedy: known?.remedy ?? 'Correct the cause, then revive the run with `lakeduel runs retry`.',
    bundle: null,
  }
}

export function isRetryable(error: unknown): boolean {
  return !(error instanceof LakeduelError && USER_ERRORS.has(error.code))
}

const TRIES = 6
const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 5_000

/**
 * Does it again when another writer was first, or a connection or a process was lost, with a jittered wait that doubles.
 * That spends no attempt of the batch, since the batch is not the cause. Throws the last error, or the signal's reason.
 */
export async function withRetries<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await action()
    } catch (error) {
      const passing = error instanceof LakeduelError && error.kind !== 'terminal'
      if (!passing || tried === TRIES || signal.aborted) throw error
    }
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tried - 1))
    await sleep(waitMs * (0.5 + Math.random()), undefined, { signal })
  }
}
