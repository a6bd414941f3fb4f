import type { ErrorRule, FailureClass } from '../source.ts'

/** A failure that the configuration asked for. */
export class SyntheticFailure extends Error {
  override readonly name = 'SyntheticFailure'
  readonly class: FailureClass
  readonly retryAfterMs: number | null

  constructor(failureClass: FailureClass, retryAfterMs: number | null = null) {
    super(`a failure of class ${failureClass}`)
    this.class = failureClass
    this.retryAfterMs = retryAfterMs
  }
}

/** Any password but the right one. */
export class WrongPassword extends Error {
  override readonly name = 'WrongPassword'
}

/** There is no line for `system`: that is what a failure without a line is. */
export const errors: readonly ErrorRule[] = [
  {
    code: 'wrong_password',
    class: 'user',
    matches: (error) => error instanceof WrongPassword,
    message: () => 'The synthetic source takes another password.',
    remedy: 'Leave `password` out.',
    examples: () => [new WrongPassword('refused')],
  },
  {
    code: 'permission_missing',
    class: 'user',
    matches: (error) => error instanceof SyntheticFailure && error.class === 'user',
    message: () => 'A page failed as one does whose permission was revoked.',
    remedy: 'Take the failure out of the configuration.',
    examples: () => [new SyntheticFailure('user')],
  },
  {
    code: 'rate_limited',
    class: 'source',
    matches: (error) => error instanceof SyntheticFailure && error.class === 'source',
    message: () => 'A page failed as one does when the other side is busy.',
    remedy: 'The sync tries again by itself.',
    retryAfterMs: (error) => (error instanceof SyntheticFailure ? error.retryAfterMs : null),
    examples: () => [new SyntheticFailure('source'), new SyntheticFailure('source', 1_000)],
  },
]
