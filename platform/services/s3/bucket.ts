import {
  BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  HeadBucketCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { ConfiguredS3 } from '../../config/configured.ts'
import { S3Store } from '../../storage/s3-store.ts'
import type { S3Access } from './client.ts'
import { s3Error } from './errors.ts'

/** Where a run puts its objects, and how to remove them. */
export interface RunBucket {
  readonly bucket: string
  /** With a trailing slash, or empty. */
  readonly prefix: string
  /** Removes what lies under the prefix, and the bucket where it was made for the run. */
  readonly remove: () => Promise<void>
}

/**
 * A bucket that the user named is used under a prefix of the run's own; else a bucket is made for the run.
 * @throws LakeduelError `S3_BUCKET_MISSING`, `S3_CREDENTIALS` or `S3_UNREACHABLE`
 */
export async function openRunBucket(
  client: S3Client,
  access: S3Access,
  runId: string,
  configured: Pick<ConfiguredS3, 'bucket' | 'prefix'> | null,
): Promise<RunBucket> {
  const name = `lakeduel-${runId.toLowerCase()}`
  const given = configured?.bucket ?? null
  const [bucket, prefix] = given === null ? [name, ''] : [given, `${configured?.prefix ?? ''}${name}/`]
  try {
    if (given === null) await createBucket(client, access, bucket)
    else await client.send(new HeadBucketCommand({ Bucket: bucket }))
  } catch (error) {
    throw s3Error(error, { url: access.url, bucket })
  }
  const remove = async (): Promise<void> => {
    await new S3Store(client, bucket, prefix).deletePrefix('')
    if (given === null) await client.send(new DeleteBucketCommand({ Bucket: bucket }))
  }
  return { bucket, prefix, remove }
}

/** Makes a bucket in the client's region. */
export async function createBucket(client: S3Client, { region }: S3Access, bucket: string): Promise<void> {
  // us-east-1 is the one region that must not be named. The SDK's type lists AWS's regions only, and servers have others.
  const named = Object.values(BucketLocationConstraint).find((location) => location === region)
  const location = named === undefined ? {} : { CreateBucketConfiguration: { LocationConstraint: named } }
  await client.send(new CreateBucketCommand({ Bucket: bucket, ...location }))
}
