import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { classify } from '../../../pipeline/sources/errors.ts'
import type { SourceDefinition } from '../../../pipeline/sources/source.ts'
import { LakeduelError } from '../../../platform/errors.ts'

class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const source: SourceDefinition = {
  name: 'test',
  title: 'Test',
  version: 1,
  config: z.strictObject({}),
  secretKeys: [],
  errors: [
    {
      code: 'odd',
      class: 'system',
      matches: () => {
        throw new Error('a table that fails itself')
      },
      message: () => 'never',
      remedy: 'never',
    },
    {
      code: 'rate_limited',
      class: 'source',
      matches: (error) => error instanceof Refused && error.status === 429,
      message: (error) => `Too many requests: ${error instanceof Error ? error.message : ''}`,
      remedy: 'Wait.',
      retryAfterMs: () => 2_000,
    },
    {
      code: 'host_gone',
      class: 'user',
      matches: (error) => error instanceof Error && 'code' in error && error.code === 'ENOTFOUND',
      message: () => 'There is no such host.',
      remedy: 'Correct the host.',
    },
  ],
  open: () => Promise.reject(new Error('not opened here')),
}

test('the error table of the source comes first, also for what the network would explain', () => {
  expect(classify(source, new Refused(429, 'slow down'))).toEqual({
    class: 'source',
    code: 'rate_limited',
    message: 'Too many requests: slow down',
    remedy: 'Wait.',
    retryAfterMs: 2_000,
  })
  const gone = Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' })
  expect(classify(source, gone)).toMatchObject({ class: 'user', code: 'host_gone' })
})

test('an error is known also where another one wraps it', () => {
  const wrapped = new Error('reading failed', { cause: new Refused(429, 'slow down') })
  expect(classify(source, wrapped)).toMatchObject({ code: 'rate_limited' })
})

test('a real refused connection is the source being away', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = z.object({ port: z.int() }).parse(server.address())
  await new Promise((resolve) => server.close(resolve))
  const error = await fetch(`http://127.0.0.1:${port}/`).catch((thrown: unknown) => thrown)
  expect(classify(source, error)).toMatchObject({ class: 'source', code: 'unreachable' })
})

test('a real time-out is the source being slow', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = z.object({ port: z.int() }).parse(server.address())
  const error = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(50) }).catch(
    (thrown: unknown) => thrown,
  )
  server.close()
  expect(classify(source, error)).toMatchObject({ class: 'source', code: 'timed_out' })
})

test.each([
  ['ECONNRESET', 'source'],
  ['ETIMEDOUT', 'source'],
  ['EAI_AGAIN', 'source'],
  ['UND_ERR_BODY_TIMEOUT', 'source'],
  ['CERT_HAS_EXPIRED', 'user'],
  ['EMFILE', 'system'],
])('%s is of class %s', (code, expected) => {
  const error = new AggregateError([Object.assign(new Error('inner'), { code })], 'outer')
  expect(classify(source, error).class).toBe(expected)
})

const CLASSES = [
  ['CONFIG_INVALID', 'user'],
  ['S3_UNREACHABLE', 'source'],
  ['S3_CREDENTIALS', 'user'],
  ['POSTGRES_UNREACHABLE', 'source'],
  ['DISK_FULL', 'user'],
  ['TABLE_NOT_FOUND', 'user'],
  ['COMMIT_CONFLICT', 'source'],
  ['ENGINE_FAILED', 'system'],
  ['ENGINE_OUT_OF_MEMORY', 'system'],
  ['INTERRUPTED', 'system'],
] as const
test.each(CLASSES)('the code %s of our own is of class %s', (code, expected) => {
  const error = new LakeduelError(code, 'what happened', { remedy: 'Do this.' })
  expect(classify(source, error)).toEqual({
    class: expected,
    code: code.toLowerCase(),
    message: 'what happened',
    remedy: 'Do this.',
    retryAfterMs: null,
  })
})

test.each([new TypeError('x is not a function'), 'a text', 7, null, undefined, { message: 'no error' }])(
  'what nobody knows (%s) is of class system',
  (thrown) => {
    expect(classify(source, thrown)).toMatchObject({ class: 'system', code: 'unexpected' })
  },
)

test('an error that is its own cause ends', () => {
  const error = new Error('round')
  error.cause = error
  expect(classify(source, error)).toMatchObject({ code: 'unexpected' })
})

test('no message holds a secret, however it is written', () => {
  const secret = 'hush "7" ü/'
  const ways = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify({ secret }),
    Buffer.from(`${secret}:`).toString('base64'),
  ]
  const messages = ways.flatMap((way) => [
    classify(source, new Error(`it said ${way}`), [secret]).message,
    classify(source, new Refused(429, `it said ${way}`), [secret]).message,
    classify(source, new LakeduelError('ENGINE_FAILED', `it said ${way}`), [secret]).message,
  ])
  for (const message of messages) {
    expect(message).toContain('***')
    for (const way of [secret, encodeURIComponent(secret), Buffer.from(`${secret}:`).toString('base64')])
      expect(message).not.toContain(way)
  }
})

test('what looks like a key is hidden also where nobody told that it is one', () => {
  const text =
    'Invalid key sk_live_51HabcdefGHI, Authorization: Bearer eyJhbGciOi.x, postgres://u:hush@db/x, password=hush'
  const { message } = classify(source, new Error(text))
  expect(message).not.toMatch(/51Habc|eyJhbGciOi|hush/)
  expect(message).toContain('Invalid key ***')
})

test('a message of a page’s size is cut', () => {
  expect(classify(source, new Error('x'.repeat(1_000_000))).message.length).toBeLessThan(3_000)
})
