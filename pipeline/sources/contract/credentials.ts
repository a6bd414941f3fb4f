import type { RawConfig } from '../config.ts'
import { classify } from '../errors.ts'
import { hideSecrets } from '../secrets.ts'
import { type ContractCheck, fail, pass, skip, sourceCheck, type TableFinding } from './check.ts'
import type { ContractSubject } from './subject.ts'

export const credentialsCheck: ContractCheck = sourceCheck(
  'credentials',
  'the credentials are accepted',
  async (subject) => {
    await using source = await subject.open()
    await source.checkCredentials()
    return pass('accepted')
  },
)

export const wrongCredentialsCheck: ContractCheck = sourceCheck(
  'wrong-credentials',
  'a wrong secret is refused as something that the user must change, and not shown',
  async (subject) => {
    const { definition, config } = subject
    const given = Object.entries(config).flatMap(([key, value]): [string, string][] =>
      typeof value === 'string' && value !== '' && (definition.secretKeys.includes(key) || hasPassword(value))
        ? [[key, value]]
        : [],
    )
    if (given.length === 0) return skip('no secret stands in the settings')
    for (const [key, secret] of given) {
      const wrong = wrongSecret(secret)
      const found = await refusal(subject, key, { ...config, [key]: wrong }, wrong)
      if (found !== null) return found
    }
    return pass(`refused: ${given.map(([key]) => key).join(', ')}`)
  },
)

async function refusal(
  subject: ContractSubject,
  key: string,
  config: RawConfig,
  wrong: string,
): Promise<TableFinding | null> {
  const failure = await failureOf(subject, config)
  if (failure === null) return fail(`a wrong '${key}' is accepted`, { key })
  const { class: failureClass, code, message, remedy } = classify(subject.definition, failure.error)
  if (failureClass !== 'user') return fail(`a wrong '${key}' is of class ${failureClass} (${code})`, { key })
  if (`${message} ${remedy}` !== hideSecrets(`${message} ${remedy}`, [wrong]))
    return fail(`the message of ${code} shows the value of '${key}'`, { key })
  return null
}

async function failureOf(
  subject: ContractSubject,
  config: RawConfig,
): Promise<{ readonly error: unknown } | null> {
  try {
    await using source = await subject.open(config)
    await source.checkCredentials()
    return null
  } catch (error) {
    return { error }
  }
}

function hasPassword(text: string): boolean {
  return URL.canParse(text) && new URL(text).password !== ''
}

/** Of the same length and make, so that it is refused for what it is and not for how it looks. */
function wrongSecret(secret: string): string {
  if (hasPassword(secret)) {
    const url = new URL(secret)
    url.password = turned(url.password)
    return url.href
  }
  return turned(secret)
}

/** The last letters and digits turned on by half of their alphabet. */
function turned(secret: string): string {
  const [, head = '', tail = ''] = /^(.*?)(.{1,6})$/s.exec(secret) ?? []
  const other = tail.replaceAll(/[A-Za-z0-9]/g, (sign) => {
    if (/\d/.test(sign)) return String((Number(sign) + 5) % 10)
    const base = sign < 'a' ? 65 : 97
    return String.fromCharCode(((sign.charCodeAt(0) - base + 13) % 26) + base)
  })
  return other === tail ? `${secret}x` : head + other
}
