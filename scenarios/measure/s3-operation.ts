/** Sub-resources of an object or a bucket that name the operation by themselves, by method. */
const BY_QUERY: readonly (readonly [method: string, parameter: string, operation: string])[] = [
  ['POST', 'uploads', 'NewMultipartUpload'],
  ['POST', 'uploadId', 'CompleteMultipartUpload'],
  ['POST', 'delete', 'DeleteMultipleObjects'],
  ['PUT', 'partNumber', 'PutObjectPart'],
  ['DELETE', 'uploadId', 'AbortMultipartUpload'],
  ['GET', 'uploadId', 'ListObjectParts'],
  ['GET', 'uploads', 'ListMultipartUploads'],
  ['GET', 'location', 'GetBucketLocation'],
  ['GET', 'versions', 'ListObjectVersions'],
]
const ON_OBJECT: Readonly<Record<string, string>> = {
  GET: 'GetObject',
  HEAD: 'HeadObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
}
const ON_BUCKET: Readonly<Record<string, string>> = {
  HEAD: 'HeadBucket',
  PUT: 'PutBucket',
  DELETE: 'DeleteBucket',
}

export interface S3Operation {
  readonly bucket: string
  /** By MinIO's names, so that counts from its metrics and from the proxy compare. */
  readonly operation: string
}

/** The operation that a path-style request asks for; one that pipelines don't use is called `Other`. */
export function s3OperationOf(method: string, target: string, isCopy: boolean): S3Operation {
  const { pathname, searchParams } = new URL(target, 'http://store')
  const [bucket = '', ...key] = pathname.slice(1).split('/')
  const named = BY_QUERY.find(([verb, parameter]) => verb === method && searchParams.has(parameter))
  const operation = named?.[2] ?? (key.join('/') === '' ? onBucket(method, searchParams) : ON_OBJECT[method])
  return { bucket, operation: isCopy ? copyOf(operation) : (operation ?? 'Other') }
}

function onBucket(method: string, query: URLSearchParams): string | undefined {
  if (method !== 'GET') return ON_BUCKET[method]
  return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjectsV1'
}

function copyOf(operation: string | undefined): string {
  return operation === 'PutObjectPart' ? 'CopyObjectPart' : 'CopyObject'
}
