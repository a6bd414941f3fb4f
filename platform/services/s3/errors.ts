import { S3ServiceException } from '@aws-sdk/client-s3'
import { redactText } from '../../config/redact.ts'
import { errorCode } from '../../disk.ts'
import { type ErrorCode, LakeduelError, messageOf } from '../../errors.ts'

const CREDENTIAL_ERRORS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AccessDenied',
  'InvalidToken',
  'ExpiredToken',
  'Forbidden',
])
const REMEDIES = {
  S3_CREDENTIALS:
    'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the rights that they have on the bucket.',
  S3_BUCKET_MISSING:
    'Create the bucket, or leave the bucket out: then one is made for each run and removed after it.',
  S3_UNREACHABLE:
    'Check LAKEDUEL_S3_ENDPOINT (or AWS_ENDPOINT_URL) and that the server runs, or leave it out: then one is started.',
  CONFIG_INVALID: 'Check the region (AWS_REGION) and the URL style (LAKEDUEL_S3_URL_STYLE).',
} as const satisfies Partial<Record<ErrorCode, string>>

/** What an error of the SDK means for a user, with the endpoint's URL and the bucket. */
export function s3Error(
  error: unknown,
  facts: { readonly url: string; readonly bucket?: string },
): LakeduelError {
  if (error instanceof LakeduelError) return error
  const code = s3ErrorCode(error)
  const where = facts.bucket === undefined ? facts.url : `bucket '${facts.bucket}' at ${facts.url}`
  return new LakeduelError(code, `${SUMMARIES[code]} (${where}): ${redactText(describe(error))}`, {
    facts: { ...facts },
    remedy: REMEDIES[code],
    cause: error,
  })
}

const SUMMARIES = {
  S3_CREDENTIALS: 'The S3 endpoint refuses the credentials',
  S3_BUCKET_MISSING: 'The S3 bucket does not exist',
  S3_UNREACHABLE: 'The S3 endpoint cannot be reached',
  CONFIG_INVALID: 'The S3 endpoint refuses the request',
} as const satisfies Record<keyof typeof REMEDIES, string>

function s3ErrorCode(error: unknown): keyof typeof REMEDIES {
  if (!(error instanceof S3ServiceException)) return 'S3_UNREACHABLE'
  const status = error.$metadata.httpStatusCode ?? 0
  if (CREDENTIAL_ERRORS.has(error.name) || status === 401 || status === 403) return 'S3_CREDENTIALS'
  if (error.name === 'NoSuchBucket' || status === 404) return 'S3_BUCKET_MISSING'
  return status >= 300 && status < 500 ? 'CONFIG_INVALID' : 'S3_UNREACHABLE'
}

/** A HEAD request has no body, and the SDK calls its failure `UnknownError`: the status says more. */
function describe(error: unknown): string {
  if (error instanceof S3ServiceException) {
    const status = error.$metadata.httpStatusCode
    return status === undefined ? error.name : `${error.name} (HTTP ${status})`
  }
  return errorCode(error) ?? messageOf(error)
}
