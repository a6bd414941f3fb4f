import { expect, inject } from 'vitest'
import type { ErrorCode } from '../../../platform/errors.ts'
import { LakeduelError, messageOf } from '../../../platform/errors.ts'

/** Expects the call to fail with one of the codes, in a message that a person can use and that holds no secret. */
export async function expectFailure(
  call: Promise<unknown>,
  ...codes: readonly ErrorCode[]
): Promise<LakeduelError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof LakeduelError)) {
    expect.fail(
      `expected a LakeduelError ${codes.join(' or ')}, got ${error === undefined ? 'a success' : messageOf(error)}`,
    )
  }
  expect(codes, error.message).toContain(error.code)
  const { s3, postgres } = inject('services')
  const told = JSON.stringify([error.message, error.facts, error.remedy, messageOf(error.cause)])
  for (const secret of [s3.secretAccessKey, postgres.password]) expect(told).not.toContain(secret)
  return error
}
