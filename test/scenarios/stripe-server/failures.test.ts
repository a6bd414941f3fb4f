import { Stripe } from 'stripe'
import { expect, test } from 'vitest'
import { DEFAULT_API_KEY, type FaultsInput } from '../../../scenarios/stripe-server/options.ts'
import { startStripeServer } from '../../../scenarios/stripe-server/server.ts'
import { clientOf } from './client.ts'

const ONCE = { after: 0, requests: 1 }

test('an unknown key is refused with what Stripe says, and never shown in full', async () => {
  await using server = await startStripeServer()
  const client = clientOf(server, { key: 'sk_test_51abcdefghijklmnop' })
  await expect(client.invoices.list()).rejects.toMatchObject({
    type: 'StripeAuthenticationError',
    statusCode: 401,
    message: 'Invalid API Key provided: sk_test_**************mnop',
  })
  const unsigned = await fetch(`${server.url}/v1/invoices`)
  expect([unsigned.status, await unsigned.json()]).toMatchObject([
    401,
    {
      error: {
        type: 'invalid_request_error',
        message: expect.stringContaining('did not provide an API key'),
      },
    },
  ])
})

test('a restricted key reads what it was given, and is told which permission it lacks', async () => {
  const keys = { rk_test_abcdefghijkl: { allowed: ['customers' as const] } }
  await using server = await startStripeServer({ keys })
  const client = clientOf(server, { key: 'rk_test_abcdefghijkl' })
  expect((await client.customers.list()).data).toHaveLength(10)
  await expect(client.invoices.list()).rejects.toMatchObject({
    type: 'StripePermissionError',
    statusCode: 403,
    message: expect.stringContaining("Having the 'rak_invoice_read' permission would allow"),
  })
  await expect(client.accounts.retrieveCurrent()).rejects.toMatchObject({ type: 'StripePermissionError' })
})

test('a key that is revoked after some requests has expired from then on', async () => {
  await using server = await startStripeServer({
    keys: { [DEFAULT_API_KEY]: { allowed: null, revokedAfterRequests: 3 } },
  })
  const seen: string[] = []
  const paging = async () => {
    for await (const customer of clientOf(server).customers.list({ limit: 5 })) seen.push(customer.id)
  }
  await expect(paging()).rejects.toMatchObject({ statusCode: 401, code: 'api_key_expired' })
  expect(seen).toHaveLength(15)
})

test('a rate limit tells how long to wait and what was limited', async () => {
  await using server = await startStripeServer({
    faults: { outages: [{ after: 1, requests: 2, how: { kind: 'rate-limit', retryAfterSeconds: 2 } }] },
  })
  const { customers } = clientOf(server)
  await customers.list()
  await expect(customers.list()).rejects.toMatchObject({
    type: 'StripeRateLimitError',
    code: 'rate_limit',
    headers: { 'retry-after': '2', 'stripe-rate-limited-reason': 'global-rate' },
  })
  await expect(customers.list()).rejects.toMatchObject({ statusCode: 429 })
  await customers.list()
})

test.each<[string, FaultsInput]>([
  ['server errors', { outages: [{ ...ONCE, every: 4, how: { kind: 'server-error', statusCode: 503 } }] }],
  [
    'connections that are closed before the answer',
    { outages: [{ ...ONCE, every: 4, how: { kind: 'disconnect', when: 'before-answer' } }] },
  ],
])("the client's own retries get over %s, and its paging misses nothing", async (_, faults) => {
  await using server = await startStripeServer({ counts: { products: 20 }, faults })
  const seen: string[] = []
  const client = clientOf(server, { maxNetworkRetries: 2 })
  for await (const product of client.products.list({ limit: 5 })) seen.push(product.id)
  expect(seen).toEqual(server.idsOf('products'))
})

test('an answer that breaks off in the middle is a connection error', async () => {
  await using server = await startStripeServer({
    faults: { outages: [{ ...ONCE, how: { kind: 'disconnect', when: 'mid-answer' } }] },
  })
  const client = clientOf(server)
  await expect(client.invoices.list({ limit: 100 })).rejects.toThrow(Stripe.errors.StripeConnectionError)
  expect((await client.invoices.list({ limit: 100 })).data).toHaveLength(100)
})

test('a wrong version, a foreign account and an unknown address are refused', async () => {
  await using server = await startStripeServer()
  const client = clientOf(server)
  await expect(client.customers.list({}, { apiVersion: 'yesterday' })).rejects.toMatchObject({
    statusCode: 400,
    message: 'Invalid Stripe API version: yesterday',
  })
  const answer = await client.customers.list({}, { apiVersion: '2024-06-20' })
  expect(answer.lastResponse).toMatchObject({
    apiVersion: '2024-06-20',
    requestId: expect.stringMatching(/^req_/),
  })
  await expect(client.customers.list({}, { stripeAccount: 'acct_other' })).rejects.toMatchObject({
    statusCode: 403,
    code: 'account_invalid',
  })
  await expect(client.disputes.list()).rejects.toMatchObject({ statusCode: 404 })
  expect(await client.accounts.retrieveCurrent()).toMatchObject({ id: server.accountId })
})

test('an idempotency key makes one customer of two requests, and is bound to its parameters', async () => {
  await using server = await startStripeServer({ counts: { customers: 3 } })
  const { customers } = clientOf(server)
  const options = { idempotencyKey: 'order-1' }
  const made = await customers.create({ email: 'zoë@example.com', name: 'Zoë' }, options)
  const again = await customers.create({ email: 'zoë@example.com', name: 'Zoë' }, options)
  expect(again).toEqual(made)
  expect(again.lastResponse.headers).toMatchObject({ 'idempotent-replayed': 'true' })
  await expect(customers.create({ name: 'Another' }, options)).rejects.toMatchObject({
    type: 'StripeIdempotencyError',
    statusCode: 400,
  })
  expect(await customers.retrieve(made.id)).toMatchObject({ email: 'zoë@example.com', name: 'Zoë' })
  expect((await customers.list()).data.map((one) => one.id)).toEqual([
    made.id,
    ...server.idsOf('customers').slice(1),
  ])
})

test('requests, pages and pages that were fetched more than once are counted by resource', async () => {
  await using server = await startStripeServer({ counts: { customers: 30, products: 5 } })
  const client = clientOf(server)
  for await (const _ of client.customers.list({ limit: 10 }));
  await client.customers.list({ limit: 10 })
  await client.products.list({ limit: 100 })
  await expect(client.products.retrieve('prod_unknown')).rejects.toThrow('No such product')
  const answer = await fetch(`${server.url}/__stats`)
  const expected = {
    requests: { customers: 4, products: 2 },
    byStatus: { 200: 5, 404: 1 },
    pages: { customers: 4, products: 1 },
    pagesRepeated: { customers: 1 },
  }
  expect(server.stats()).toMatchObject(expected)
  expect(await answer.json()).toMatchObject(expected)
  server.resetStats()
  expect(server.stats()).toMatchObject({ requests: {}, pages: {}, bytes: 0 })
})

test('each answer takes the latency that was set', async () => {
  await using server = await startStripeServer({ faults: { latencyMs: 500 } })
  const begun = performance.now()
  await clientOf(server).products.list()
  expect(performance.now() - begun).toBeGreaterThan(490)
  server.setFaults({})
  const again = performance.now()
  await clientOf(server).products.list()
  expect(performance.now() - again).toBeLessThan(490)
})
