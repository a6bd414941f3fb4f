import { HeadBucketCommand } from '@aws-sdk/client-s3'
import type { Storage } from '../../platform/endpoints.ts'
import { messageOf } from '../../platform/errors.ts'
import { s3Client } from '../../platform/services/s3/client.ts'
import { CountingProxy } from './counting-proxy.ts'
import { MinioMetrics } from './minio-metrics.ts'
import { type S3Counts, type S3Usage, usageBetween } from './s3-usage.ts'

type S3Storage = Extract<Storage, { kind: 's3' }>

/** Counts the requests to a storage's bucket. */
export interface S3Meter extends AsyncDisposable {
  readonly source: 'server-metrics' | 'counting-proxy' | 'none'
  /** What the measured processes must use: the given storage, or the way to it through the proxy. */
  readonly storage: Storage
  /** Counts from now; the function that it resolves to ends the count, and may be called again for a longer one. */
  start(): Promise<() => Promise<S3Usage>>
}

/**
 * Asks the server for its own counts, which costs the measured processes nothing; else puts a proxy before it. The bucket
 * must be used by this run alone, since all requests to it are counted.
 */
export async function openS3Meter(storage: Storage): Promise<S3Meter> {
  if (storage.kind === 'local') return unmeasured(storage, 'the tables lie in a local folder')
  const refusals: string[] = []
  for (const open of [throughMetrics, throughProxy]) {
    try {
      return await open(storage)
    } catch (error) {
      refusals.push(messageOf(error))
    }
  }
  return unmeasured(storage, refusals.join('; '))
}

async function throughMetrics(storage: S3Storage): Promise<S3Meter> {
  const { metricsUrl } = storage.endpoint
  if (metricsUrl === null) throw new Error('the S3 server has no public metrics')
  const client = s3Client(storage.endpoint)
  try {
    const metrics = await MinioMetrics.open(metricsUrl, client, storage.bucket)
    return meter(
      'server-metrics',
      storage,
      () => metrics.counts(),
      async () => undefined,
    )
  } finally {
    client.destroy()
  }
}

/** One signed request shows whether the server accepts the proxy's address as its `Host`. */
async function throughProxy(storage: S3Storage): Promise<S3Meter> {
  if (storage.endpoint.urlStyle === 'vhost') {
    throw new Error('no proxy can be put before an S3 server that is addressed by virtual hosts')
  }
  const proxy = await CountingProxy.start(storage.endpoint.url, storage.bucket)
  const proxied = { ...storage, endpoint: { ...storage.endpoint, url: proxy.url } }
  const client = s3Client(proxied.endpoint)
  try {
    await client.send(new HeadBucketCommand({ Bucket: storage.bucket }))
    return meter(
      'counting-proxy',
      proxied,
      async () => proxy.counts(),
      () => proxy[Symbol.asyncDispose](),
    )
  } catch (cause) {
    await proxy[Symbol.asyncDispose]()
    throw new Error('the S3 server refuses requests through a proxy, whose address is signed as their host', {
      cause,
    })
  } finally {
    client.destroy()
  }
}

function meter(
  source: S3Meter['source'],
  storage: Storage,
  counts: () => Promise<S3Counts>,
  close: () => Promise<void>,
): S3Meter {
  return {
    source,
    storage,
    async start() {
      const before = await counts()
      return async () => usageBetween(before, await counts())
    },
    [Symbol.asyncDispose]: close,
  }
}

function unmeasured(storage: Storage, reason: string): S3Meter {
  return {
    source: 'none',
    storage,
    start: async () => async () => ({ status: 'unavailable', reason }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
