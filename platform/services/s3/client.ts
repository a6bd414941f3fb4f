import { S3Client } from '@aws-sdk/client-s3'
import type { S3Server } from '../server-schemas.ts'

/** What a client needs to know; both `S3Endpoint` and `S3Server` have it. */
export type S3Access = Pick<
  S3Server,
  'url' | 'region' | 'accessKeyId' | 'secretAccessKey' | 'sessionToken' | 'urlStyle'
>

const CONNECT_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 60_000

/** A client of its own for the caller, who destroys it. */
export function s3Client(access: S3Access): S3Client {
  const { accessKeyId, secretAccessKey, sessionToken } = access
  return new S3Client({
    endpoint: access.url,
    region: access.region,
    forcePathStyle: access.urlStyle === 'path',
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    // Checksum trailers, the SDK's default, are unknown to many an S3 server that isn't AWS.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  })
}
