import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { S3Endpoint, Storage } from '../../platform/endpoints.ts'
import { LakeduelError } from '../../platform/errors.ts'

/** Schemes that Spark and Hadoop give to what DuckDB and delta-rs call `s3`. */
const S3_SCHEME = /^s3[an]?:\/\//i
const REMEDY = 'Give s3://bucket/path, file:///path or a local path.'
const SCHEME = /^[a-z][a-z0-9+.-]*:/i

/** Where a table, or one of its files, lies. */
export type Location =
  | { readonly kind: 's3'; readonly bucket: string; readonly key: string }
  | { readonly kind: 'local'; readonly path: string }

/**
 * What a person typed as the place of a table: `s3://bucket/key` (also `s3a`, `s3n`), `file:///path`, or a path.
 * Nothing is decoded in an S3 key: it is taken as it is.
 * @throws LakeduelError `USAGE` for another scheme, and for none at all
 */
export function parseLocation(text: string): Location {
  if (text === '') {
    throw new LakeduelError('USAGE', 'The place of a table is empty.', {
      remedy: REMEDY,
    })
  }
  if (S3_SCHEME.test(text)) return s3Location(text.replace(S3_SCHEME, ''))
  if (/^file:/i.test(text))
    return { kind: 'local', path: fileURLToPath(text.replace(/^file:\/*/i, 'file:///')) }
  const scheme = SCHEME.exec(text)?.[0]
  if (scheme !== undefined) {
    throw new LakeduelError('USAGE', `${text} lies in a storage that lakeduel can't read (${scheme}).`, {
      facts: { uri: text },
      remedy: REMEDY,
    })
  }
  return { kind: 'local', path: resolve(text) }
}

function s3Location(rest: string): Location {
  const [bucket = '', ...key] = rest.split('/')
  return { kind: 's3', bucket, key: key.join('/') }
}

/** As engines name it: `s3://bucket/key`, or an absolute path. */
export function uriOfLocation(location: Location): string {
  return location.kind === 's3' ? `s3://${location.bucket}/${location.key}` : location.path
}

/**
 * The folder of a table as a storage whose root it is.
 * @param endpoint of the object store; null where none is configured
 * @throws LakeduelError `USAGE` for a table on S3 without an endpoint
 */
export function storageAt(location: Location, endpoint: S3Endpoint | null): Storage {
  if (location.kind === 'local') return { kind: 'local', root: location.path }
  if (endpoint === null) {
    throw new LakeduelError('USAGE', `${uriOfLocation(location)} is on S3, and no endpoint is configured.`, {
      remedy: 'Set LAKEDUEL_S3_ENDPOINT (or AWS_ENDPOINT_URL), AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    })
  }
  const key = location.key.replace(/\/+$/, '')
  return { kind: 's3', endpoint, bucket: location.bucket, prefix: key === '' ? '' : `${key}/` }
}
