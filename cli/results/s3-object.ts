import pRetry from 'p-retry'
import { loadConfig } from '../../platform/config/load.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { s3Client } from '../../platform/services/s3/client.ts'
import { s3Error } from '../../platform/services/s3/errors.ts'
import { S3Store } from '../../platform/storage/s3-store.ts'

const APPEND_RETRIES = 12

/** Whether a path names an object, as `s3://bucket/key`, and no file. */
export function isS3Address(path: string): boolean {
  return path.startsWith('s3://')
}

/** The text of an object, or null where there is none. Errors as in `putS3Object`. */
export async function readS3Object(address: string): Promise<string | null> {
  const bytes = await withObject(address, (store, key) => store.read(key))
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

/**
 * Makes or replaces an object, whole or not at all, on the configured endpoint, else on AWS.
 * @throws LakeduelError `USAGE` for an address without a key, `CONFIG_INVALID` without credentials, else `S3_…`
 */
export async function putS3Object(address: string, text: string): Promise<void> {
  await withObject(address, (store, key) => store.put(key, text))
}

/** Adds a line to an object, however many do so at once. Errors as in `putS3Object`, and `S3_…` when it never succeeds. */
export async function appendToS3Object(address: string, line: string): Promise<void> {
  await withObject(address, (store, key) =>
    pRetry(
      async () => {
        if (!(await store.append(key, line))) throw new Error(`${address} was written by others each time`)
      },
      { retries: APPEND_RETRIES, minTimeout: 20, maxTimeout: 1_000, randomize: true },
    ),
  )
}

async function withObject<T>(address: string, work: (store: S3Store, key: string) => Promise<T>): Promise<T> {
  const { bucket, key } = parseAddress(address)
  const { s3 } = await loadConfig({ flags: { storage: 's3', s3: { bucket } } })
  if (s3 === null) throw new Error('a bucket configures S3')
  const { sessionToken, ...access } = s3
  const client = s3Client({ ...access, ...(sessionToken === null ? {} : { sessionToken }) })
  await using store = new S3Store(client, bucket, '')
  try {
    return await work(store, key)
  } catch (error) {
    throw s3Error(error, { url: s3.url, bucket })
  }
}

function parseAddress(address: string): { readonly bucket: string; readonly key: string } {
  const { bucket, key } = /^s3:\/\/(?<bucket>[^/]+)\/(?<key>.*[^/])$/.exec(address)?.groups ?? {}
  if (bucket !== undefined && key !== undefined) return { bucket, key }
  throw new LakeduelError('USAGE', `${address} names no object.`, {
    facts: { address },
    remedy: 'Write s3://BUCKET/KEY, as s3://benchmarks/main/baseline.json.',
  })
}
