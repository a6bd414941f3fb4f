import { join } from 'node:path'
import { inject } from 'vitest'
import { uriOf } from '../../platform/endpoints.ts'
import { openObjectStore } from '../../platform/storage/object-store.ts'

/** Puts a folder below the tests' own part of the object store, and returns its URI there. */
export async function upload(folder: string, key: string): Promise<string> {
  const { s3, bucket, prefix } = inject('services')
  const storage = { kind: 's3', endpoint: s3, bucket, prefix: `${prefix}${key}` } as const
  await using from = openObjectStore({ kind: 'local', root: folder })
  await using to = openObjectStore(storage)
  for (const file of await from.list('')) await to.putFile(join(folder, file.key), file.key)
  return uriOf(storage, '')
}
