import type { Storage } from '../../platform/endpoints.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { s3Error } from '../../platform/services/s3/errors.ts'
import { type ObjectStore, openObjectStore } from '../../platform/storage/object-store.ts'

/** The part of an object store that a source needs: whoever holds it can't write to the table. */
export type ReadableStore = Pick<ObjectStore, 'list' | 'read'>

/** Errors of S3 come as those of lakeduel, with endpoint and bucket. */
export function openReadableStore(storage: Storage): ReadableStore & AsyncDisposable {
  const store = openObjectStore(storage)
  const reaching = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      if (storage.kind === 'local') throw unreadable(storage.root, error)
      throw s3Error(error, { url: storage.endpoint.url, bucket: storage.bucket })
    }
  }
  return {
    list: (prefix) => reaching(store.list(prefix)),
    read: (key) => reaching(store.read(key)),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function unreadable(root: string, cause: unknown): LakeduelError {
  return new LakeduelError('SOURCE_BROKEN', `${root} can't be read: ${messageOf(cause)}`, {
    facts: { root },
    remedy: 'Check the path, and that this user may read all below it.',
    cause,
  })
}
