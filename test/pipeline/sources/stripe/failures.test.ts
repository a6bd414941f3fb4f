import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { classify } from '../../../../pipeline/sources/errors.ts'
import type { Page } from '../../../../pipeline/sources/source.ts'
import { stripe } from '../../../../pipeline/sources/stripe/index.ts'
import { DEFAULT_API_KEY, type FaultsInput } from '../../../../scenarios/stripe-server/options.ts'
import { type StripeServer, startStripeServer } from '../../../../scenarios/stripe-server/server.ts'
import { idsIn, openSource, pagesOf, requestOf, stored } from './reading.ts'

const RESTRICTED = 'rk_test_restricted0000'

/** How a read of charges with these settings fails. */
async function failureOf(
  server: StripeServer,
  settings: Readonly<Record<string, unknown>> = {},
  table = 'charges',
) {
  await using source = await openSource(server, { maxNetworkRetries: 0, ...settings })
  try {
    for await (const _ of source.read(await requestOf(source, table)));
  } catch (error) {
    return classify(stripe, error, [DEFAULT_API_KEY])
  }
  throw new Error('the read did not fail')
}

test('keys, permissions, accounts and versions are for a person to mend, who is told what is wrong', async () => {
  await using server = await startStripeServer({
    keys: {
      [DEFAULT_API_KEY]: { allowed: null },
      [RESTRICTED]: { allowed: ['charges'] },
      sk_test_rolled: { allowed: null, revokedAfterRequests: 0 },
    },
  })
  expect(await failureOf(server, { apiKey: 'sk_test_unknown' })).toMatchObject({
    class: 'user',
    code: 'key_invalid',
  })
  expect(await failureOf(server, { apiKey: 'sk_test_rolled' })).toMatchObject({
    class: 'user',
    code: 'key_expired',
  })
  expect(await failureOf(server, { apiKey: RESTRICTED }, 'invoices')).toMatchObject({
    class: 'user',
    code: 'permission_missing',
    message: 'The API key lacks the permission rak_invoice_read.',
  })
  expect(await failureOf(server, { account: 'acct_other' })).toMatchObject({
    class: 'user',
    code: 'account_inaccessible',
  })
  expect(await failureOf(server, { apiVersion: 'yesterday' })).toMatchObject({
    class: 'user',
    code: 'api_version_invalid',
  })
})

test('a restricted key is a key, also when it may not see the account', async () => {
  await using server = await startStripeServer({ keys: { [RESTRICTED]: { allowed: ['charges'] } } })
  await using restricted = await openSource(server, { apiKey: RESTRICTED })
  await expect(restricted.checkCredentials()).resolves.toBeUndefined()
  await using unknown = await openSource(server, { apiKey: 'sk_test_unknown' })
  await expect(unknown.checkCredentials()).rejects.toMatchObject({ statusCode: 401 })
})

test('a key that is revoked in the middle ends the read, and another one goes on at its cursor', async () => {
  const keys = {
    sk_test_first: { allowed: null, revokedAfterRequests: 3 },
    [DEFAULT_API_KEY]: { allowed: null },
  }
  await using server = await startStripeServer({ keys, counts: { charges: 900 } })
  await using source = await openSource(server, { apiKey: 'sk_test_first' })
  const pages: Page[] = []
  const reading = async () => {
    for await (const page of source.read(await requestOf(source, 'charges'))) pages.push(page)
  }
  await expect(reading()).rejects.toMatchObject({ code: 'api_key_expired' })
  expect(pages).toHaveLength(3)
  const rest = await pagesOf(server, 'charges', { resume: stored(pages.at(-1)?.cursor ?? null) })
  expect([...idsIn(pages), ...idsIn(rest)]).toEqual(server.idsOf('charges'))
})

test.each<[string, FaultsInput['outages']]>([
  ['429', [{ after: 2, requests: 3, every: 6, how: { kind: 'rate-limit', retryAfterSeconds: 0.02 } }]],
  ['503', [{ after: 1, requests: 1, every: 5, how: { kind: 'server-error', statusCode: 503 } }]],
  [
    'closed connections',
    [{ after: 1, requests: 1, every: 5, how: { kind: 'disconnect', when: 'before-answer' } }],
  ],
  [
    'answers cut short',
    [{ after: 1, requests: 1, every: 5, how: { kind: 'disconnect', when: 'mid-answer' } }],
  ],
])('bursts of %s are got over within the read, without losing or doubling a row', async (_, outages) => {
  await using server = await startStripeServer({ counts: { charges: 1000 }, faults: { outages } })
  expect(idsIn(await pagesOf(server, 'charges'))).toEqual(server.idsOf('charges'))
})

test('the read waits as long as Stripe asks, when that is short', async () => {
  const outages = [{ after: 0, requests: 1, how: { kind: 'rate-limit' as const, retryAfterSeconds: 0.3 } }]
  await using server = await startStripeServer({ counts: { charges: 10 }, faults: { outages } })
  const begun = performance.now()
  await pagesOf(server, 'charges')
  expect(performance.now() - begun).toBeGreaterThan(290)
})

test('a longer wait is left to the sync, which is told how long', async () => {
  const outages = [{ after: 0, requests: 9, how: { kind: 'rate-limit' as const, retryAfterSeconds: 30 } }]
  await using server = await startStripeServer({ faults: { outages } })
  expect(await failureOf(server, { maxNetworkRetries: 4 })).toMatchObject({
    class: 'source',
    code: 'rate_limited',
    retryAfterMs: 30_000,
  })
  expect(server.stats().requests).toEqual({ charges: 1 })
})

test('outages that outlast the tries are of class source', async () => {
  await using server = await startStripeServer()
  const always = { after: 0, requests: 1_000 }
  server.setFaults({ outages: [{ ...always, how: { kind: 'server-error', statusCode: 500 } }] })
  expect(await failureOf(server)).toMatchObject({ class: 'source', code: 'stripe_unavailable' })
  server.setFaults({ outages: [{ ...always, how: { kind: 'disconnect', when: 'mid-answer' } }] })
  expect(await failureOf(server)).toMatchObject({ class: 'source', code: 'connection_failed' })
})

test('a place where nothing listens, and one that speaks no HTTP, are of class source', async () => {
  await using server = await startStripeServer()
  expect(await failureOf(server, { baseUrl: 'http://127.0.0.1:1' })).toMatchObject({
    class: 'source',
    code: 'connection_failed',
    message: expect.stringContaining('ECONNREFUSED'),
  })
  const garbled = createServer((socket) => socket.resume().end('220 mail.example.com ESMTP\r\n'))
  await new Promise<void>((resolve) => garbled.listen(0, '127.0.0.1', resolve))
  const address = garbled.address()
  const port = typeof address === 'object' ? address?.port : 0
  expect(await failureOf(server, { baseUrl: `http://127.0.0.1:${port}` })).toMatchObject({ class: 'source' })
  await new Promise((resolve) => garbled.close(resolve))
})

test('what only a fault of ours can cause is of class system', async () => {
  await using server = await startStripeServer()
  await using source = await openSource(server)
  const request = await requestOf(source, 'charges', { limits: { pageRows: 0 } })
  const pages = source.read(request)[Symbol.asyncIterator]()
  const failure = classify(stripe, await pages.next().catch((error: unknown) => error))
  expect(failure).toMatchObject({
    class: 'system',
    code: 'request_invalid',
    message: expect.stringContaining('limit'),
  })
})

test('each line of the error table is reached by its own examples', () => {
  for (const rule of stripe.errors) {
    const examples = rule.examples?.() ?? []
    expect(examples.length, rule.code).toBeGreaterThan(0)
    for (const example of examples) expect(classify(stripe, example).code).toBe(rule.code)
  }
})

test.each<[string, FaultsInput]>([
  ['an answer', { latencyMs: 20_000 }],
  [
    'the next try',
    { outages: [{ after: 0, requests: 99, how: { kind: 'rate-limit', retryAfterSeconds: 9 } }] },
  ],
])('an abort ends the wait for %s at once, with its reason', async (_, faults) => {
  await using server = await startStripeServer({ faults })
  await using source = await openSource(server)
  const controller = new AbortController()
  const pages = source.read(await requestOf(source, 'charges', { signal: controller.signal }))
  const first = pages[Symbol.asyncIterator]().next()
  setTimeout(() => controller.abort(new Error('drained')), 100)
  const begun = performance.now()
  await expect(first).rejects.toThrow('drained')
  expect(performance.now() - begun).toBeLessThan(5000)
})

test('a table that Stripe does not have is named beside those that it has', async () => {
  await using server = await startStripeServer()
  await using source = await openSource(server)
  const request = await requestOf(source, 'charges')
  const pages = source.read({ ...request, table: { ...request.table, name: 'disputes' } })
  await expect(pages[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
})
