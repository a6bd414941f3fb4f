import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { S3Endpoint } from '../../endpoints.ts'
import { LakeduelError } from '../../errors.ts'
import type { S3Server } from '../server-schemas.ts'
import type { RunBucket } from './bucket.ts'
import { s3Error } from './errors.ts'
import { findMetrics, serverHeader } from './server-information.ts'

/** The least size of every part but the last one. */
const PART_BYTES = 5 * 1024 * 1024

/**
 * Does once what the engines will do: write, read, multipart, delete, and put-if-absent. An endpoint without
 * put-if-absent passes with `putIfAbsent: false`; Delta arms refuse to run on it.
 * @throws LakeduelError `S3_…`, naming what the endpoint didn't do
 */
export async function probeS3(
  client: S3Client,
  server: S3Server,
  { bucket, prefix }: Pick<RunBucket, 'bucket' | 'prefix'>,
): Promise<S3Endpoint> {
  const target = { Bucket: bucket, Key: `${prefix}lakeduel-probe` }
  try {
    await writeAndRead(client, target)
    await writeMultipart(client, target)
    const putIfAbsent = await putsIfAbsent(client, target)
    await client.send(new DeleteObjectCommand(target))
    const version = server.version ?? (await serverHeader(server.url))
    return { ...server, version, putIfAbsent, metricsUrl: await findMetrics(server.url) }
  } catch (error) {
    throw s3Error(error, { url: server.url, bucket })
  }
}

interface Target {
  readonly Bucket: string
  readonly Key: string
}

async function writeAndRead(client: S3Client, target: Target): Promise<void> {
  const Body = `lakeduel ${Date.now()}`
  await client.send(new PutObjectCommand({ ...target, Body }))
  const read = await (await client.send(new GetObjectCommand(target))).Body?.transformToString()
  if (read !== Body) throw misbehaviour('read back other bytes than were written', { wrote: Body, read })
}

async function writeMultipart(client: S3Client, target: Target): Promise<void> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
  const bodies = [Buffer.alloc(PART_BYTES, 1), Buffer.from('end')]
  const Parts = await Promise.all(
    bodies.map(async (Body, index) => {
      const part = { PartNumber: index + 1 }
      const { ETag } = await client.send(new UploadPartCommand({ ...target, ...part, UploadId, Body }))
      return { ...part, ETag }
    }),
  )
  await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }))
  const { ContentLength } = await client.send(new HeadObjectCommand(target))
  const expected = PART_BYTES + 3
  if (ContentLength !== expected)
    throw misbehaviour('stored another size than a multipart upload had', { expected, ContentLength })
}

/** The first put must find nothing, and the second must fail: some servers ignore the header and overwrite. */
async function putsIfAbsent(client: S3Client, target: Target): Promise<boolean> {
  await client.send(new DeleteObjectCommand(target))
  const put = (): Promise<unknown> =>
    client.send(new PutObjectCommand({ ...target, Body: 'once', IfNoneMatch: '*' }))
  try {
    await put()
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 501) return false
    throw error
  }
  return put().then(
    () => false,
    (error: unknown) => {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412) return true
      throw error
    },
  )
}

function misbehaviour(what: string, facts: Readonly<Record<string, unknown>>): LakeduelError {
  return new LakeduelError('S3_UNREACHABLE', `The S3 endpoint ${what}.`, {
    facts,
    remedy: 'Use another endpoint, or leave it out: then one is started.',
  })
}
