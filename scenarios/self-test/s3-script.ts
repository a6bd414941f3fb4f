import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'

const OBJECT_BYTES = 100_000
const MULTIPART_BYTES = 12 * 2 ** 20

/** What `runS3Script` asks for, by MinIO's names; bytes are those of the objects, without the XML of some requests. */
export const S3_SCRIPT = {
  byOperation: {
    AbortMultipartUpload: 1,
    CompleteMultipartUpload: 1,
    CopyObject: 1,
    DeleteMultipleObjects: 1,
    DeleteObject: 2,
    GetObject: 6,
    HeadObject: 4,
    ListObjectsV2: 2,
    NewMultipartUpload: 2,
    PutObject: 8,
    PutObjectPart: 3,
  },
  requests: 31,
  objectBytesIn: 7 * OBJECT_BYTES + MULTIPART_BYTES,
  objectBytesOut: 5 * OBJECT_BYTES + 1000,
} as const

export async function runS3Script(client: S3Client, Bucket: string, prefix: string): Promise<void> {
  const key = (name: string | number) => `${prefix}/${name}`
  for (let i = 0; i < 7; i++) {
    await client.send(new PutObjectCommand({ Bucket, Key: key(i), Body: Buffer.alloc(OBJECT_BYTES, i) }))
  }
  for (let i = 0; i < 5; i++) await read(client, { Bucket, Key: key(i) })
  await read(client, { Bucket, Key: key(0), Range: 'bytes=0-999' })
  for (let i = 0; i < 3; i++) await client.send(new HeadObjectCommand({ Bucket, Key: key(i) }))
  await client.send(new HeadObjectCommand({ Bucket, Key: key('missing') })).catch(expectStatus(404))
  const refused = new PutObjectCommand({ Bucket, Key: key(0), Body: Buffer.of(), IfNoneMatch: '*' })
  await client.send(refused).catch(expectStatus(412))
  for (let i = 0; i < 2; i++) await client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }))
  const Body = Buffer.alloc(MULTIPART_BYTES)
  await new Upload({ client, params: { Bucket, Key: key('large'), Body }, partSize: 5 * 2 ** 20 }).done()
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: key('aborted') }))
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key: key('aborted'), UploadId }))
  await client.send(new CopyObjectCommand({ Bucket, Key: key('copy'), CopySource: `${Bucket}/${key(0)}` }))
  for (const name of ['large', 'copy']) await client.send(new DeleteObjectCommand({ Bucket, Key: key(name) }))
  const Objects = [0, 1, 2, 3, 4, 5, 6].map((name) => ({ Key: key(name) }))
  await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
}

async function read(client: S3Client, input: { Bucket: string; Key: string; Range?: string }): Promise<void> {
  const { Body } = await client.send(new GetObjectCommand(input))
  await Body?.transformToByteArray()
}

function expectStatus(status: number) {
  return (error: { $metadata?: { httpStatusCode?: number } }) => {
    if (error.$metadata?.httpStatusCode !== status) throw error
  }
}
