import { HeadBucketCommand, ListBucketsCommand } from '@aws-sdk/client-s3'
import type { ConfiguredS3 } from '../../config/configured.ts'
import { s3Client } from './client.ts'
import { s3Error } from './errors.ts'
import { serverHeader } from './server-information.ts'

/**
 * Reaches a configured endpoint without writing to it.
 * @returns what to say of it, without secrets
 * @throws LakeduelError `S3_UNREACHABLE`, `S3_CREDENTIALS` or `S3_BUCKET_MISSING`
 */
export async function checkConfiguredS3({ sessionToken, bucket, ...s3 }: ConfiguredS3): Promise<string> {
  const client = s3Client({ ...s3, ...(sessionToken === null ? {} : { sessionToken }) })
  try {
    if (bucket === null) await client.send(new ListBucketsCommand({}))
    else await client.send(new HeadBucketCommand({ Bucket: bucket }))
    return `${s3.url}, ${bucket === null ? 'a bucket per run' : `bucket ${bucket}`} (configured; ${await serverHeader(s3.url)})`
  } catch (error) {
    throw s3Error(error, { url: s3.url, ...(bucket === null ? {} : { bucket }) })
  } finally {
    client.destroy()
  }
}
