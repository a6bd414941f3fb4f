import { expect, test } from 'vitest'
import { s3OperationOf } from '../../../scenarios/measure/s3-operation.ts'

test.each([
  ['GET', '/lake/a/b.parquet', 'GetObject'],
  ['GET', '/lake/a%2Fb%3Fuploads.parquet?x-id=GetObject', 'GetObject'],
  ['HEAD', '/lake/a', 'HeadObject'],
  ['PUT', '/lake/a', 'PutObject'],
  ['PUT', '/lake/a?partNumber=1&uploadId=u', 'PutObjectPart'],
  ['POST', '/lake/a?uploads', 'NewMultipartUpload'],
  ['POST', '/lake/a?uploads=', 'NewMultipartUpload'],
  ['POST', '/lake/a?uploadId=u', 'CompleteMultipartUpload'],
  ['DELETE', '/lake/a?uploadId=u', 'AbortMultipartUpload'],
  ['GET', '/lake/a?uploadId=u', 'ListObjectParts'],
  ['GET', '/lake?uploads', 'ListMultipartUploads'],
  ['DELETE', '/lake/a', 'DeleteObject'],
  ['POST', '/lake?delete', 'DeleteMultipleObjects'],
  ['GET', '/lake?list-type=2&prefix=a/', 'ListObjectsV2'],
  ['GET', '/lake/?list-type=2', 'ListObjectsV2'],
  ['GET', '/lake?prefix=a', 'ListObjectsV1'],
  ['GET', '/lake?location', 'GetBucketLocation'],
  ['HEAD', '/lake', 'HeadBucket'],
  ['OPTIONS', '/lake/a', 'Other'],
])('%s %s is %s', (method, target, operation) => {
  expect(s3OperationOf(method, target, false)).toEqual({ bucket: 'lake', operation })
})

test('a copy is told from a put by its source', () => {
  expect(s3OperationOf('PUT', '/lake/a', true).operation).toBe('CopyObject')
  expect(s3OperationOf('PUT', '/lake/a?partNumber=2&uploadId=u', true).operation).toBe('CopyObjectPart')
})
