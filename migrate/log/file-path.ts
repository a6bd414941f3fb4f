import { posix } from 'node:path'
import type { Storage } from '../../platform/endpoints.ts'
import { uriOf } from '../../platform/endpoints.ts'
import { messageOf } from '../../platform/errors.ts'
import { brokenLog } from './errors.ts'

/** A file that a log names. */
export interface FilePath {
  /** As engines name it, decoded: `s3://bucket/key`, or an absolute path. */
  readonly uri: string
  /** Relative to the table's folder, decoded; null for a file that lies elsewhere, as those of a shallow clone do. */
  readonly key: string | null
}

/**
 * The path of an `add`, `remove` or `sidecar` action: an RFC 2396 URI, so it is decoded exactly once. Relative ones start at
 * `folder`, which is below the table's folder and empty or ends with a slash.
 * @param logFile where the path stands, for the error
 * @throws LakeduelError `SOURCE_BROKEN` where it isn't a URI
 */
export function resolveFilePath(table: Storage, folder: string, encoded: string, logFile: string): FilePath {
  const path = decode(encoded, logFile)
  const absolute = absoluteUri(table, path)
  if (absolute === null) return { uri: uriOf(table, folder + path), key: folder + path }
  const root = uriOf(table, '')
  return { uri: absolute, key: absolute.startsWith(root) ? absolute.slice(root.length) : null }
}

/** A path as the table names it in an `add`, from its decoded form. */
function absoluteUri(table: Storage, path: string): string | null {
  const s3 = /^s3[an]?:\/\/(.*)$/is.exec(path)?.[1]
  if (s3 !== undefined) return `s3://${s3}`
  const file = /^file:\/*(.*)$/is.exec(path)?.[1]
  if (file !== undefined) return `/${file}`
  if (!path.startsWith('/')) return null
  return table.kind === 's3' ? `s3://${table.bucket}${posix.normalize(path)}` : posix.normalize(path)
}

function decode(encoded: string, logFile: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch (cause) {
    throw brokenLog(logFile, `names the path ${encoded}, which is no URI (${messageOf(cause)})`, cause)
  }
}
