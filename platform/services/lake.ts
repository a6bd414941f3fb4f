import { mkdir } from 'node:fs/promises'
import { HeadBucketCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import type { Config } from '../config/load.ts'
import { withDiskFullError } from '../disk.ts'
import type { PostgresEndpoint, Storage } from '../endpoints.ts'
import { probePostgres } from './postgres/probe.ts'
import { createBucket } from './s3/bucket.ts'
import { s3Client } from './s3/client.ts'
import { s3Error } from './s3/errors.ts'
import { probeS3 } from './s3/probe.ts'
import type { S3Server } from './server-schemas.ts'
import { obtainServers } from './servers.ts'

/** Where lasting tables lie: what a sync writes must be there after it, and for its successor. */
export interface LakeServices {
  readonly storage: Storage
  readonly postgres: PostgresEndpoint
}

/** Used where the configuration names no bucket; made when it is missing, and never removed by lakeduel. */
const BUCKET = 'lakeduel-lake'

/**
 * Opens the configured or held services and probes them; it starts none, since those would end with the process.
 * @throws LakeduelError `USAGE` when neither is there, `S3_…`, `POSTGRES_…`
 */
export async function openLakeServices(config: Config): Promise<LakeServices> {
  const servers = await obtainServers(config, { keep: true })
  const postgres = await probePostgres(servers.postgres)
  const storage = servers.s3 === null ? await openDirectory(config) : await openBucket(servers.s3, config)
  return { storage, postgres }
}

async function openDirectory({ localRoot }: Config): Promise<Storage> {
  await withDiskFullError(localRoot, () => mkdir(localRoot, { recursive: true }))
  return { kind: 'local', root: localRoot }
}

async function openBucket(server: S3Server, { s3 }: Config): Promise<Storage> {
  const client = s3Client(server)
  const bucket = s3?.bucket ?? BUCKET
  const prefix = s3?.prefix ?? ''
  try {
    if (bucket === BUCKET) await ensureBucket(client, server, bucket)
    const endpoint = await probeS3(client, server, {
      bucket,
      prefix: `${prefix}lakeduel-probes/${process.pid}-`,
    })
    return { kind: 's3', endpoint, bucket, prefix }
  } catch (error) {
    throw s3Error(error, { url: server.url, bucket })
  } finally {
    client.destroy()
  }
}

async function ensureBucket(client: S3Client, server: S3Server, bucket: string): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }))
  } catch (error) {
    const missing = error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404
    if (!missing) throw error
    await createBucket(client, server, bucket).catch(unlessMadeMeanwhile)
  }
}

function unlessMadeMeanwhile(error: unknown): void {
  const made =
    error instanceof S3ServiceException &&
    ['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'].includes(error.name)
  if (!made) throw error
}
