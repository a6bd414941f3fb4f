import { classify, UNEXPECTED } from '../errors.ts'
import type { ErrorRule, SourceDefinition } from '../source.ts'
import { type ContractCheck, fail, pass, skip, sourceCheck } from './check.ts'

/** Stands for a secret of the user in what the source's other side says. */
const PLANTED = 'planted-secret-7f3a'

export const errorTableCheck: ContractCheck = sourceCheck(
  'error-table',
  'each line of the error table takes its own examples, and says what to do',
  ({ definition }) => {
    if (definition.errors.length === 0) return Promise.resolve(skip('the error table is empty'))
    const problems = definition.errors.flatMap((rule) => problemsOfRule(definition, rule))
    if (problems.length > 0) return Promise.resolve(fail(problems.join('; ')))
    const bare = definition.errors.filter(({ examples }) => examples === undefined).map(({ code }) => code)
    return Promise.resolve(
      bare.length > 0
        ? skip(`there are no examples of ${bare.join(', ')}`)
        : pass(`${definition.errors.length} lines`),
    )
  },
)

function problemsOfRule(definition: SourceDefinition, rule: ErrorRule): readonly string[] {
  const { code, class: failureClass, remedy, examples } = rule
  const problems: string[] = []
  if (!/^[a-z][a-z0-9_]*$/.test(code)) problems.push('a code is lower-case words with underscores')
  if (remedy.trim() === '') problems.push('it says nothing of what to do')
  for (const example of examples?.() ?? []) {
    const found = classify(definition, example)
    if (found.code !== code || found.class !== failureClass)
      problems.push(`its example is taken for ${found.code}, of class ${found.class}`)
    if (found.message.trim() === '') problems.push('its message is empty')
    if (found.retryAfterMs !== null && !(found.retryAfterMs >= 0))
      problems.push(`it waits ${found.retryAfterMs} ms`)
  }
  return problems.map((problem) => `${code}: ${problem}`)
}

export const unknownErrorCheck: ContractCheck = sourceCheck(
  'unknown-errors',
  'an error that the table does not know is of class system',
  ({ definition }) => {
    const unknown = [new TypeError('x is undefined'), 'a text', { status: 599 }, null]
    const taken = unknown.map((error) => classify(definition, error)).find(({ code }) => code !== UNEXPECTED)
    return Promise.resolve(taken === undefined ? pass('unexpected') : fail(`one is taken for ${taken.code}`))
  },
)

export const secretMessageCheck: ContractCheck = sourceCheck(
  'secret-messages',
  'no message of a failure shows a secret',
  ({ definition, secrets }) => {
    const planted = [...secrets, PLANTED]
    const errors = [
      ...planted.map((secret) => new Error(`refused: ${secret}`)),
      ...definition.errors.flatMap(({ examples }) => examples?.() ?? []).map((example) => plantedIn(example)),
    ]
    const leaks = errors
      .map((error) => classify(definition, error, planted))
      .filter(({ message, remedy }) => planted.some((secret) => `${message} ${remedy}`.includes(secret)))
    return Promise.resolve(
      leaks.length === 0
        ? pass(`${errors.length} messages`)
        : fail(`it shows in ${[...new Set(leaks.map(({ code }) => code))].join(', ')}`),
    )
  },
)

/** The same error as if the other side had quoted the secret. */
function plantedIn(example: unknown): unknown {
  if (!(example instanceof Error)) return example
  const copy: unknown = Object.create(example, { message: { value: `${example.message} ${PLANTED}` } })
  return copy
}
