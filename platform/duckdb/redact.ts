/** DuckDB and libpq quote connection strings and statements in their messages, passwords included. */
const SECRET_KEY = 'password|secret|key_id|session_token|secret_access_key'
const SECRET_ASSIGNMENT = new RegExp(`\\b(${SECRET_KEY})(\\s*=\\s*)('(?:[^']|'')*'|[^\\s,)"]+)`, 'gi')
const SECRET_FIELD = new RegExp(`\\b(${SECRET_KEY})(\\s+)('(?:[^']|'')*')`, 'gi')

/** An engine's message without the values of secrets: those that are known, and whatever is assigned to a secret's key word. */
export function redact(message: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, secret) => text.replaceAll(secret, '***'), message)
    .replace(SECRET_ASSIGNMENT, '$1$2***')
    .replace(SECRET_FIELD, '$1$2***')
}
