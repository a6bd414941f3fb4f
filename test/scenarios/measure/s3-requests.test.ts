import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { DeleteBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import getPort from 'get-port'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { loadConfig } from '../../../platform/config/load.ts'
import type { Storage } from '../../../platform/endpoints.ts'
import { latencies, openNetwork, openToxiproxy } from '../../../platform/services/network/network.ts'
import { createBucket } from '../../../platform/services/s3/bucket.ts'
import { s3Client } from '../../../platform/services/s3/client.ts'
import { S3Store } from '../../../platform/storage/s3-store.ts'
import { openS3Meter, type S3Meter } from '../../../scenarios/measure/s3-requests.ts'
import { usageBetween } from '../../../scenarios/measure/s3-usage.ts'
import { runS3Script, S3_SCRIPT } from '../../../scenarios/self-test/s3-script.ts'

const { s3, postgres } = inject('services')
/** Of this file alone: all requests to a bucket are counted, and other tests run beside it. */
const bucket = `lakeduel-meter-${randomUUID()}`
const hasMetrics = s3.metricsUrl !== null
if (!hasMetrics)
  console.warn('Counts from the server’s metrics are not tested: the S3 server has no public ones')

beforeAll(async () => {
  const client = s3Client(s3)
  await createBucket(client, s3, bucket)
  client.destroy()
})

afterAll(async () => {
  const client = s3Client(s3)
  await new S3Store(client, bucket, '').deletePrefix('')
  await client.send(new DeleteBucketCommand({ Bucket: bucket }))
  client.destroy()
})

function storage(metricsUrl: string | null): Storage {
  return { kind: 's3', endpoint: { ...s3, metricsUrl }, bucket, prefix: '' }
}

/** A client of what the meter says is to be used. */
function clientOf(meter: S3Meter) {
  if (meter.storage.kind !== 's3') throw new Error('the storage is no S3 storage')
  return s3Client(meter.storage.endpoint)
}

test.for([
  { source: 'server-metrics', metricsUrl: s3.metricsUrl, skipped: !hasMetrics },
  { source: 'counting-proxy', metricsUrl: null, skipped: false },
])(
  'a script of known requests is counted exactly, by operation ($source)',
  async ({ source, metricsUrl, skipped }, context) => {
    if (skipped) context.skip('the S3 server has no public metrics')
    await using meter = await openS3Meter(storage(metricsUrl))
    expect(meter.source).toBe(source)
    const client = clientOf(meter)
    for (let round = 0; round < 3; round++) {
      const stop = await meter.start()
      await runS3Script(client, bucket, `script-${source}-${round}`)
      const usage = await stop()
      if (usage.status !== 'measured') throw new Error(usage.reason)
      expect(usage.byOperation).toEqual(S3_SCRIPT.byOperation)
      expect(usage.requests).toBe(S3_SCRIPT.requests)
      // The rest is XML: the part list, the deletion list, listings and errors.
      expect(usage.bytesIn - S3_SCRIPT.objectBytesIn).toBeGreaterThan(0)
      expect(usage.bytesIn - S3_SCRIPT.objectBytesIn).toBeLessThan(10_000)
      expect(usage.bytesOut - S3_SCRIPT.objectBytesOut).toBeGreaterThan(0)
      expect(usage.bytesOut - S3_SCRIPT.objectBytesOut).toBeLessThan(20_000)
    }
    client.destroy()
  },
)

test('a network in between changes no count', async (context) => {
  if (!hasMetrics) context.skip('the S3 server has no public metrics')
  await using toxiproxy = await openToxiproxy(await loadConfig())
  await using network = await openNetwork(toxiproxy, storage(s3.metricsUrl), postgres, latencies(5))
  await using meter = await openS3Meter(network.storage)
  expect(meter.source).toBe('server-metrics')
  const client = clientOf(meter)
  const stop = await meter.start()
  await runS3Script(client, bucket, 'through-network')
  expect(await stop()).toMatchObject({ byOperation: S3_SCRIPT.byOperation, requests: S3_SCRIPT.requests })
  client.destroy()
})

test('the proxy passes bodies through unchanged, many at a time', async () => {
  await using meter = await openS3Meter(storage(null))
  const client = clientOf(meter)
  const bodies = Array.from({ length: 16 }, (_, i) => Buffer.alloc(300_000 + i, i))
  const stored = bodies.map(async (Body, i) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `through/${i}`, Body }))
    const { Body: answer } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `through/${i}` }))
    return Buffer.from((await answer?.transformToByteArray()) ?? [])
  })
  expect((await Promise.all(stored)).every((body, i) => body.equals(bodies[i] ?? Buffer.of()))).toBe(true)
  client.destroy()
})

test('a put of 32 MiB that the server refuses before it has read it is refused through the proxy, too', async () => {
  await using meter = await openS3Meter(storage(null))
  const client = clientOf(meter)
  const put = { Bucket: bucket, Key: 'once', IfNoneMatch: '*' }
  await client.send(new PutObjectCommand({ ...put, Body: Buffer.of(1) }))
  const second = client.send(new PutObjectCommand({ ...put, Body: Buffer.alloc(32 * 2 ** 20) }))
  await expect(second).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } })
  client.destroy()
})

test('a server that goes away in the middle of an answer leaves no answer that looks complete', async () => {
  const port = await getPort()
  const broken = createServer((request, response) => {
    response.writeHead(200, request.method === 'HEAD' ? {} : { 'content-length': 1000 })
    if (request.method === 'HEAD') response.end()
    else response.write('half', () => response.destroy())
  })
  await once(broken.listen(port, '127.0.0.1'), 'listening')
  const endpoint = { ...s3, url: `http://127.0.0.1:${port}`, metricsUrl: null }
  await using meter = await openS3Meter({ kind: 's3', endpoint, bucket, prefix: '' })
  expect(meter.source).toBe('counting-proxy')
  const url = meter.storage.kind === 's3' ? meter.storage.endpoint.url : ''
  const answer = await fetch(`${url}/${bucket}/key`)
  await expect(answer.arrayBuffer()).rejects.toThrow()
  broken.close()
})

test('a server that refuses the proxy’s address as its host is not measured, and is used directly', async () => {
  const port = await getPort()
  const picky = createServer((request, response) => {
    response.writeHead(request.headers.host === `127.0.0.1:${port}` ? 200 : 403).end()
  })
  await once(picky.listen(port, '127.0.0.1'), 'listening')
  const direct: Storage = {
    kind: 's3',
    endpoint: { ...s3, url: `http://127.0.0.1:${port}`, metricsUrl: null },
    bucket,
    prefix: '',
  }
  await using meter = await openS3Meter(direct)
  const stop = await meter.start()
  expect(await stop()).toMatchObject({
    status: 'unavailable',
    reason: expect.stringContaining('through a proxy'),
  })
  expect(meter.storage).toEqual(direct)
  picky.close()
})

test('tables in a local folder have no requests to count', async () => {
  await using meter = await openS3Meter({ kind: 'local', root: '/nowhere' })
  expect(await (await meter.start())()).toEqual({
    status: 'unavailable',
    reason: 'the tables lie in a local folder',
  })
})

test('counters that a restart set to zero make the usage unavailable rather than wrong', () => {
  const before = { byOperation: { GetObject: 5 }, bytesIn: 10, bytesOut: 10 }
  const after = { byOperation: { GetObject: 2 }, bytesIn: 20, bytesOut: 20 }
  expect(usageBetween(before, after).status).toBe('unavailable')
})
