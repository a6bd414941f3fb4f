/** Keys whose values are secrets, wherever they occur. */
export const SECRET_KEYS = ['accessKeyId', 'secretAccessKey', 'sessionToken', 'password'] as const

const REDACTED = '[redacted]'

/** A copy that is safe for logs, errors and results: secret keys and passwords within URLs and DSNs are blanked. */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value)
  if (Array.isArray(value)) return value.map(redact)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      isSecretKey(key) && inner != null ? REDACTED : redact(inner),
    ]),
  )
}

/** Blanks `//user:password@`, `password=…` and the secret query parameters of signed S3 requests. */
export function redactText(text: string): string {
  return text
    .replace(/(\/\/[^/\s:@]*):[^/\s@]+@/g, `$1:${REDACTED}@`)
    .replace(
      /\b(password|secret|X-Amz-(?:Signature|Credential|Security-Token))(\s*=\s*)('[^']*'|[^\s&;'"]+)/gi,
      `$1$2${REDACTED}`,
    )
}

function isSecretKey(key: string): boolean {
  return SECRET_KEYS.some((secret) => secret.toLowerCase() === key.toLowerCase())
}
