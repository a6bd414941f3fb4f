import type { Storage } from '../endpoints.ts'
import type { StorageUsage } from './object-store.ts'
import { openObjectStore } from './object-store.ts'

/** Copies everything below a storage's root to another root in the same bucket, or on the same machine. */
export async function copyTree(from: Storage, to: Storage): Promise<void> {
  await using store = openObjectStore(aboveAll(from))
  await store.copyPrefix(keyOfRoot(from), keyOfRoot(to))
}

export async function deleteTree(storage: Storage): Promise<void> {
  await using store = openObjectStore(aboveAll(storage))
  await store.deletePrefix(keyOfRoot(storage))
}

export async function treeUsage(storage: Storage): Promise<StorageUsage> {
  await using store = openObjectStore(storage)
  return store.usage('')
}

/** The bucket, or the machine, that a storage is part of. */
export function aboveAll(storage: Storage): Storage {
  return storage.kind === 's3' ? { ...storage, prefix: '' } : { kind: 'local', root: '/' }
}

function keyOfRoot(storage: Storage): string {
  return storage.kind === 's3' ? storage.prefix : `${storage.root.replaceAll(/^\/|\/$/g, '')}/`
}
