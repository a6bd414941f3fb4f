import type { ErrorRule } from '../kit.ts'
import { ServiceError } from './service.ts'

/**
 * The first line that matches counts. `user`: a person must change something. `source`: wait, and go on by itself. What no line
 * knows is `system`: it fails with a report, which is right for what nobody thought of.
 */
export const errors: readonly ErrorRule[] = [
  {
    code: 'key_refused',
    class: 'user',
    matches: (error) => error instanceof ServiceError && [401, 403].includes(error.status),
    message: () => 'The service refuses the key.',
    remedy: 'Make a new key in the settings of your account, and give it as `apiKey`.',
    examples: () => [new ServiceError(401), new ServiceError(403)],
  },
  {
    code: 'rate_limited',
    class: 'source',
    matches: (error) => error instanceof ServiceError && error.status === 429,
    message: () => 'The service takes no more requests for now.',
    remedy: 'The sync tries again by itself.',
    retryAfterMs: (error) =>
      error instanceof ServiceError && error.retryAfterSeconds !== null
        ? error.retryAfterSeconds * 1_000
        : null,
    examples: () => [new ServiceError(429), new ServiceError(429, 2)],
  },
  {
    code: 'service_down',
    class: 'source',
    matches: (error) => error instanceof ServiceError && error.status >= 500,
    message: (error) => `The service is down (${error instanceof ServiceError ? error.status : 'unknown'}).`,
    remedy: 'The sync tries again by itself.',
    examples: () => [new ServiceError(500), new ServiceError(503)],
  },
]
