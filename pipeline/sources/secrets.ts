import { redactText } from '../../platform/config/redact.ts'
import type { SourceDefinition } from './source.ts'

const HIDDEN = '***'

/** Keys as they are sent, and those that tell by their beginning that they are secret. */
const KEY_SHAPES =
  /\b(Bearer|Basic)\s+[\w+/=.~-]{8,}|\b(?:[sr]k_(?:live|test)_\w{8,}|whsec_\w{8,}|gh[opsu]_\w{20,}|xox[abp]-[\w-]{10,}|AKIA[0-9A-Z]{16})/g

/** The texts in a configuration that must never show: values of secret keys at any depth, and passwords within URLs. */
export function secretsOf(
  definition: Pick<SourceDefinition, 'secretKeys'>,
  config: unknown,
): readonly string[] {
  return [...new Set(collect(definition.secretKeys, config, false))]
}

/**
 * A copy without secret keys, at any depth, and without texts that hold a password: what may be stored, and is
 * completed from the environment or a config file by whoever opens the source.
 */
export function withoutSecrets(
  definition: Pick<SourceDefinition, 'secretKeys'>,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const kept = Object.entries(config).flatMap(([key, value]): [string, unknown][] =>
    definition.secretKeys.includes(key) || holdsPassword(value) ? [] : [[key, copyOf(definition, value)]],
  )
  return Object.fromEntries(kept)
}

/** The text without the secrets, in whichever way they are written, and without what looks like a key. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  const hidden = secrets
    .flatMap(waysToWrite)
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, HIDDEN), text)
  return redactText(hidden).replace(KEY_SHAPES, (_, scheme: string | undefined) =>
    scheme === undefined ? HIDDEN : `${scheme} ${HIDDEN}`,
  )
}

/** {@link hideSecrets} on every text and key of a value of JSON. */
export function hideSecretsIn(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return hideSecrets(value, secrets)
  if (Array.isArray(value)) return value.map((item) => hideSecretsIn(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [hideSecrets(key, secrets), hideSecretsIn(inner, secrets)]),
  )
}

function copyOf(definition: Pick<SourceDefinition, 'secretKeys'>, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => copyOf(definition, item))
  if (typeof value !== 'object' || value === null) return value
  return withoutSecrets(definition, { ...value })
}

function collect(secretKeys: readonly string[], value: unknown, isSecret: boolean): readonly string[] {
  if (typeof value === 'string') return [...(isSecret ? [value] : []), ...passwordOf(value)].filter(Boolean)
  if (Array.isArray(value)) return value.flatMap((item) => collect(secretKeys, item, isSecret))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    collect(secretKeys, inner, isSecret || secretKeys.includes(key)),
  )
}

/** The password within a URL, as it is written and decoded. */
function passwordOf(text: string): readonly string[] {
  const password = URL.canParse(text) ? new URL(text).password : ''
  return password === '' ? [] : [password, decoded(password)]
}

function holdsPassword(value: unknown): boolean {
  return typeof value === 'string' && passwordOf(value).length > 0
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** As it is, and as it stands in a URL, in a text of JSON and in a header of basic authentication. */
function waysToWrite(secret: string): readonly string[] {
  const basic = ['', ':'].map((end) => Buffer.from(`${secret}${end}`).toString('base64'))
  return secret === ''
    ? []
    : [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), ...basic]
}
