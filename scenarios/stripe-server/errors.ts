import { type Nested, RESOURCE_FACTS, type Resource } from './resources.ts'

/** An answer with Stripe's error JSON. */
export class StripeApiError extends Error {
  override readonly name = 'StripeApiError'
  readonly statusCode: number
  readonly fields: ErrorFields
  readonly headers: Readonly<Record<string, string>>

  constructor(
    statusCode: number,
    message: string,
    fields: ErrorFields,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.statusCode = statusCode
    this.fields = fields
    this.headers = headers
  }

  /** The body, in the order that Stripe writes it in. */
  toJSON() {
    const { type, code, param } = this.fields
    const docUrl =
      code === undefined ? undefined : `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`
    return { error: { code, doc_url: docUrl, message: this.message, param, type } }
  }
}

interface ErrorFields {
  readonly type: 'invalid_request_error' | 'api_error' | 'idempotency_error'
  readonly code?: string
  readonly param?: string
}

const INVALID = 'invalid_request_error'

export function noSuch(kind: Resource | Nested, id: string, param: string): StripeApiError {
  const fields = { type: INVALID, code: 'resource_missing', param } as const
  // An unknown object in the path is a missing page; one in a parameter is a bad request.
  return new StripeApiError(
    param === 'id' ? 404 : 400,
    `No such ${RESOURCE_FACTS[kind].noun}: '${id}'`,
    fields,
  )
}

export function invalidParameter(param: string, message: string, code?: string): StripeApiError {
  return new StripeApiError(400, message, { type: INVALID, param, ...(code === undefined ? {} : { code }) })
}

export function unrecognizedUrl(method: string, path: string): StripeApiError {
  const message = `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`
  return new StripeApiError(404, message, { type: INVALID })
}

export function noKey(): StripeApiError {
  const message =
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
  return new StripeApiError(401, message, { type: INVALID }, { 'www-authenticate': 'Basic realm="Stripe"' })
}

export function invalidKey(key: string): StripeApiError {
  return new StripeApiError(401, `Invalid API Key provided: ${masked(key)}`, { type: INVALID })
}

export function expiredKey(key: string): StripeApiError {
  const fields = { type: INVALID, code: 'api_key_expired' } as const
  return new StripeApiError(401, `Expired API Key provided: ${masked(key)}`, fields)
}

export function missingPermission(key: string, accountId: string, permission: string): StripeApiError {
  const message = `The provided key '${masked(key)}' does not have the required permissions for this endpoint on account '${accountId}'. Having the '${permission}' permission would allow this request to continue.`
  return new StripeApiError(403, message, { type: INVALID })
}

/** Of the current account a restricted key may know nothing, whatever it is allowed. */
export function closedToRestrictedKeys(key: string, accountId: string): StripeApiError {
  const message = `The provided key '${masked(key)}' does not have the required permissions for this endpoint on account '${accountId}'. This is a restricted API key, but the required permissions are not available for use by restricted keys.`
  return new StripeApiError(403, message, { type: INVALID })
}

export function foreignAccount(key: string, accountId: string): StripeApiError {
  const message = `The provided key '${masked(key)}' does not have access to account '${accountId}' (or that account does not exist). Application access may have been revoked.`
  return new StripeApiError(403, message, { type: INVALID, code: 'account_invalid' })
}

export function invalidVersion(version: string): StripeApiError {
  return new StripeApiError(400, `Invalid Stripe API version: ${version}`, { type: INVALID })
}

export function rateLimited(retryAfterSeconds: number | null): StripeApiError {
  const message =
    'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.'
  const headers: Record<string, string> = { 'stripe-rate-limited-reason': 'global-rate' }
  if (retryAfterSeconds !== null) headers['retry-after'] = String(retryAfterSeconds)
  return new StripeApiError(429, message, { type: INVALID, code: 'rate_limit' }, headers)
}

export function serverError(statusCode: number): StripeApiError {
  const message =
    'An unknown error occurred while processing your request. You may retry; if it goes on, write to support@stripe.com.'
  return new StripeApiError(statusCode, message, { type: 'api_error' })
}

export function otherParameters(idempotencyKey: string): StripeApiError {
  const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${idempotencyKey}' if you meant to execute a different request.`
  return new StripeApiError(400, message, { type: 'idempotency_error' })
}

/** `sk_test_****1234`: as much of a key as an error message shows. */
function masked(key: string): string {
  const [, prefix = ''] = /^([a-z]+_(?:test|live)_)/.exec(key) ?? []
  const secret = key.slice(prefix.length)
  return `${prefix}${'*'.repeat(Math.max(secret.length - 4, 4))}${secret.length > 8 ? secret.slice(-4) : ''}`
}
