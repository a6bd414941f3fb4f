import { randomBytes } from 'node:crypto'
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { expect, inject, test } from 'vitest'
import { BatchStager } from '../../../../pipeline/extract/batch-stager.ts'
import { limitsFor } from '../../../../pipeline/extract/limits.ts'
import { s3Client } from '../../../../platform/services/s3/client.ts'
import { planOf } from '../columns.ts'

test('a part that fails in the middle of its upload leaves neither an object nor a piece of one', async () => {
  process.env['LAKEDUEL_FAULT'] = 'mid-upload:error@2'
  const { s3, bucket, prefix } = inject('services')
  const storage = { kind: 's3', endpoint: s3, bucket, prefix: `${prefix}upload/` } as const
  {
    await using stager = new BatchStager({
      plan: planOf(),
      limits: limitsFor(null),
      storage,
      nextKey: () => 'part.parquet',
    })
    // Random bytes don't shrink, so that pieces of 5 MiB are on their way before the part is whole.
    const rows = Array.from({ length: 3 }, (_, id) => ({ id, bytes: randomBytes(12 * 1024 ** 2) }))
    await stager.add({ rows, cursor: 0 })
    await expect(stager.finish()).rejects.toThrow('The fault mid-upload was armed.')
  }
  const client = s3Client(s3)
  const place = { Bucket: bucket, Prefix: storage.prefix }
  expect((await client.send(new ListObjectsV2Command(place))).Contents).toBeUndefined()
  expect((await client.send(new ListMultipartUploadsCommand(place))).Uploads).toBeUndefined()
  client.destroy()
})
