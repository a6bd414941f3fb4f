import type { S3Client } from '@aws-sdk/client-s3'
import type { Storage } from '../endpoints.ts'
import { s3Client } from '../services/s3/client.ts'
import { LocalStore } from './local-store.ts'
import { S3Store } from './s3-store.ts'

export interface StoredObject {
  /** Relative to the storage's root. */
  readonly key: string
  readonly bytes: number
  readonly modifiedAtMs: number
}

export interface StorageUsage {
  readonly objects: number
  readonly bytes: number
}

/**
 * What the harness itself does with a storage, beside the engines; keys and prefixes are relative to its root. A prefix
 * that ends in a slash means a folder; the empty one means all.
 */
export interface ObjectStore extends AsyncDisposable {
  /** In the order of the keys. */
  list(prefix: string): Promise<readonly StoredObject[]>
  /** The bytes of an object, or null where there is none. */
  read(key: string): Promise<Uint8Array | null>
  /** Copies every object, on the server where there is one. Returns what was copied. */
  copyPrefix(from: string, to: string): Promise<StorageUsage>
  /** Copies one object, on the server where there is one. */
  copy(from: string, to: string): Promise<void>
  deletePrefix(prefix: string): Promise<void>
  /** Keys that don't exist are no error. */
  deleteKeys(keys: readonly string[]): Promise<void>
  usage(prefix: string): Promise<StorageUsage>
  putFile(path: string, key: string): Promise<void>
  /** Makes an object, whole or not at all, unless the key is taken; tells whether it did. */
  putIfAbsent(key: string, text: string): Promise<boolean>
}

/** The store of a run's storage; disposing of it closes its connections. */
export function openObjectStore(storage: Storage): ObjectStore {
  if (storage.kind === 'local') return new LocalStore(storage.root)
  const client: S3Client = s3Client(storage.endpoint)
  return new S3Store(client, storage.bucket, storage.prefix)
}
