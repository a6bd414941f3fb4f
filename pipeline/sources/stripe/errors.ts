import { Stripe } from 'stripe'
import type { ErrorRule } from '../source.ts'
import { retryAfterMs } from './retry-after.ts'

const { errors: kinds } = Stripe
const EXPIRED_CODES = new Set(['api_key_expired', 'platform_api_key_expired'])
/** Certificates are told apart by the common table of network errors: a person has to mend them. */
const CERTIFICATE_CODE = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/
const VERSION_MESSAGE = /API version/i

/**
 * What Stripe's failures mean. The first line that matches counts. Messages are ours: Stripe's own may quote ids, and the
 * texts of keys but for a few characters.
 */
export const stripeErrors: readonly ErrorRule[] = [
  {
    code: 'key_expired',
    class: 'user',
    matches: (error) =>
      error instanceof kinds.StripeAuthenticationError && EXPIRED_CODES.has(error.code ?? ''),
    message: () => 'The API key has expired or was revoked.',
    remedy:
      'Make a new key in the Stripe dashboard (Developers, API keys), set it as `apiKey`, and start the sync again: it goes on where it stopped.',
    examples: () => [
      new kinds.StripeAuthenticationError({ message: 'Expired API Key provided', code: 'api_key_expired' }),
    ],
  },
  {
    code: 'key_invalid',
    class: 'user',
    matches: (error) => error instanceof kinds.StripeAuthenticationError,
    message: () => 'Stripe does not know the API key.',
    remedy:
      'Copy the secret or restricted key from the Stripe dashboard (Developers, API keys), and mind test and live mode.',
    examples: () => [new kinds.StripeAuthenticationError({ message: 'Invalid API Key provided' })],
  },
  {
    code: 'account_inaccessible',
    class: 'user',
    matches: (error) => error instanceof kinds.StripePermissionError && error.code === 'account_invalid',
    message: () => 'The API key has no access to the account that is set as `account`.',
    remedy: 'Correct `account`, or have the connected account authorise your platform again.',
    examples: () => [new kinds.StripePermissionError({ message: 'no access', code: 'account_invalid' })],
  },
  {
    code: 'permission_missing',
    class: 'user',
    matches: (error) => error instanceof kinds.StripePermissionError,
    message: (error) => {
      const permission = permissionIn(error)
      return permission === null
        ? 'The API key may not read this.'
        : `The API key lacks the permission ${permission}.`
    },
    remedy:
      'Edit the restricted key in the Stripe dashboard (Developers, API keys) and allow it to read this resource; then start the sync again.',
    examples: () => [
      new kinds.StripePermissionError({
        message: "Having the 'rak_invoice_read' permission would allow this.",
      }),
      new kinds.StripePermissionError({ message: 'The permissions are not available.' }),
    ],
  },
  {
    code: 'rate_limited',
    class: 'source',
    matches: (error) => error instanceof kinds.StripeRateLimitError,
    message: (error) => {
      const waitMs = retryAfterMs(error)
      const wait = waitMs === null ? '' : ` It asks to wait ${Math.ceil(waitMs / 1000)} s.`
      return `Stripe answers no more requests for now: there were too many.${wait}`
    },
    remedy:
      'The sync tries again by itself. If it happens often, other programs use the account at the same time; or ask Stripe for a higher limit.',
    retryAfterMs,
    examples: () => [new kinds.StripeRateLimitError({ message: 'Too many requests', code: 'rate_limit' })],
  },
  {
    code: 'idempotency_conflict',
    class: 'system',
    matches: (error) => error instanceof kinds.StripeIdempotencyError,
    message: () => 'Stripe refused a request that reused an idempotency key with other parameters.',
    remedy: 'A read sends no such keys: report it with its failure bundle.',
    examples: () => [new kinds.StripeIdempotencyError({ message: 'Keys for idempotent requests' })],
  },
  {
    code: 'api_version_invalid',
    class: 'user',
    matches: (error) =>
      error instanceof kinds.StripeInvalidRequestError && VERSION_MESSAGE.test(error.message),
    message: () => 'Stripe does not know the API version that is set.',
    remedy:
      'Leave `apiVersion` out, or give one as the Stripe dashboard writes it, such as 2026-10-28.endive.',
    examples: () => [new kinds.StripeInvalidRequestError({ message: 'Invalid Stripe API version: 1' })],
  },
  {
    code: 'request_invalid',
    class: 'system',
    matches: (error) => error instanceof kinds.StripeInvalidRequestError,
    message: (error) => {
      const { code, param } = fieldsOf(error)
      return `Stripe refused a request of ours (${code}${param === null ? '' : `, parameter ${param}`}).`
    },
    remedy: 'Report it with its failure bundle. With an old `apiVersion`, leave that out and try again.',
    examples: () => [new kinds.StripeInvalidRequestError({ message: 'unknown parameter', param: 'limit' })],
  },
  {
    code: 'connection_failed',
    class: 'source',
    matches: (error) =>
      error instanceof kinds.StripeConnectionError && !CERTIFICATE_CODE.test(networkCode(error)),
    message: (error) => `The connection to Stripe failed (${networkCode(error)}).`,
    remedy: 'The sync tries again by itself. Check the network, and `baseUrl` where it is set.',
    examples: () => [new kinds.StripeConnectionError({ message: 'connection' })],
  },
  {
    code: 'stripe_unavailable',
    class: 'source',
    matches: (error) => error instanceof kinds.StripeAPIError,
    message: (error) => {
      const { statusCode } = fieldsOf(error)
      return `Stripe failed to answer (${statusCode === null ? 'its answer was no JSON' : `HTTP ${statusCode}`}).`
    },
    remedy: 'The sync tries again by itself; status.stripe.com tells of outages.',
    retryAfterMs,
    examples: () => [new kinds.StripeAPIError({ message: 'unknown error' })],
  },
]

function permissionIn(error: unknown): string | null {
  return /'(rak_\w+)'/.exec(error instanceof Error ? error.message : '')?.[1] ?? null
}

function fieldsOf(error: unknown) {
  if (!(error instanceof kinds.StripeError)) return { code: 'no code', param: null, statusCode: null }
  return { code: error.code ?? 'no code', param: error.param ?? null, statusCode: error.statusCode ?? null }
}

function networkCode(error: unknown): string {
  const cause = error instanceof kinds.StripeConnectionError ? error.detail : undefined
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'no code'
}

/** Whether Stripe knows the key and refuses it this; a key without access to the account that is set counts as unknown. */
export function isForbidden(error: unknown): boolean {
  return error instanceof kinds.StripePermissionError && error.code !== 'account_invalid'
}
