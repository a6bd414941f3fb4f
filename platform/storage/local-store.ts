import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import pLimit from 'p-limit'
import { errorCode, withDiskFullError } from '../disk.ts'
import type { ObjectStore, StorageUsage, StoredObject } from './object-store.ts'
import { usageOf } from './usage.ts'

const PARALLEL_STATS = 64

/** A directory as an object store: keys are relative paths with slashes. */
export class LocalStore implements ObjectStore {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    // Only the part of a prefix up to its last slash names a folder.
    const folder = join(this.#root, prefix.slice(0, prefix.lastIndexOf('/') + 1))
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(emptyWhereMissing)
    const keys = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(this.#root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
      .filter((key) => key.startsWith(prefix))
      .sort()
    const objects = await pLimit(PARALLEL_STATS).map(keys, async (key) => {
      // One that is removed meanwhile is not there, as in an object store.
      const found = await stat(join(this.#root, key)).catch(nullWhereMissing)
      return found === null ? null : { key, bytes: found.size, modifiedAtMs: Math.floor(found.mtimeMs) }
    })
    return objects.filter((object) => object !== null)
  }

  async read(key: string): Promise<Uint8Array | null> {
    try {
      return await readFile(join(this.#root, key))
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null
      throw error
    }
  }

  async copyPrefix(from: string, to: string): Promise<StorageUsage> {
    const objects = await this.list(from)
    for (const { key } of objects) await this.copy(key, to + key.slice(from.length))
    return usageOf(objects)
  }

  async copy(from: string, to: string): Promise<void> {
    await this.putFile(join(this.#root, from), to)
  }

  async deletePrefix(prefix: string): Promise<void> {
    if (prefix === '' || prefix.endsWith('/')) {
      await rm(join(this.#root, prefix), { recursive: true, force: true })
      return
    }
    await this.deleteKeys((await this.list(prefix)).map(({ key }) => key))
  }

  async deleteKeys(keys: readonly string[]): Promise<void> {
    for (const key of keys) await rm(join(this.#root, key), { force: true })
  }

  async usage(prefix: string): Promise<StorageUsage> {
    return usageOf(await this.list(prefix))
  }

  async putFile(path: string, key: string): Promise<void> {
    const target = join(this.#root, key)
    await withDiskFullError(this.#root, async () => {
      await mkdir(dirname(target), { recursive: true })
      // A copy-on-write clone where the file system has them: a full copy would take time and disk for nothing.
      await copyFile(path, target, constants.COPYFILE_FICLONE)
    })
  }

  /** A link takes a name only when it is free, and by then the file is whole. */
  async putIfAbsent(key: string, text: string): Promise<boolean> {
    const target = join(this.#root, key)
    const written = `${target}.${randomUUID()}.tmp`
    await withDiskFullError(this.#root, async () => {
      await mkdir(dirname(target), { recursive: true })
      await writeFile(written, text)
    })
    try {
      await link(written, target)
      return true
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false
      throw error
    } finally {
      await rm(written)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

function emptyWhereMissing(error: unknown): [] {
  return nullWhereMissing(error) ?? []
}

/** Below a file there is nothing either. */
function nullWhereMissing(error: unknown): null {
  if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null
  throw error
}
