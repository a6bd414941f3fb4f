import pLimit from 'p-limit'
import type { Storage } from '../endpoints.ts'
import { openObjectStore } from './object-store.ts'
import { aboveAll } from './tree.ts'

const PARALLEL_COPIES = 8

/** Whether a URI lies in the storage's bucket, or on its machine, so that it can be copied without reading it. */
export function isReachable(storage: Storage, uri: string): boolean {
  return uri.startsWith(root(storage))
}

/** Copies files within a storage's bucket, or its machine, by URI; on the server where there is one. */
export async function copyFiles(
  storage: Storage,
  copies: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  await using store = openObjectStore(aboveAll(storage))
  const keyOf = (uri: string): string => uri.slice(root(storage).length)
  await pLimit(PARALLEL_COPIES).map(copies, ({ from, to }) => store.copy(keyOf(from), keyOf(to)))
}

/** Writes files of this machine to a storage, by URI, some at once. */
export async function putFiles(
  storage: Storage,
  files: readonly { readonly path: string; readonly to: string }[],
  parallel: number,
): Promise<void> {
  await using store = openObjectStore(aboveAll(storage))
  const keyOf = (uri: string): string => uri.slice(root(storage).length)
  await pLimit(parallel).map(files, ({ path, to }) => store.putFile(path, keyOf(to)))
}

export async function deleteFiles(storage: Storage, uris: readonly string[]): Promise<void> {
  await using store = openObjectStore(aboveAll(storage))
  await store.deleteKeys(uris.map((uri) => uri.slice(root(storage).length)))
}

function root(storage: Storage): string {
  return storage.kind === 's3' ? `s3://${storage.bucket}/` : '/'
}
