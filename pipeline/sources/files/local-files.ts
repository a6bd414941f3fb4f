import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { DataFile } from './data-file.ts'
import { BadFile } from './errors.ts'
import type { ByteRange, FileStore } from './file-store.ts'
import { counts, type Location } from './location.ts'

const CHUNK_BYTES = 1024 * 1024

export class LocalFiles implements FileStore {
  readonly #location: Location
  /** The folder that names are relative to; the one around the file where the location is a file. */
  #root: string | null = null

  constructor(location: Location) {
    this.#location = location
  }

  async list(signal: AbortSignal): Promise<readonly DataFile[]> {
    const base = resolve(this.#location.base)
    if ((await stat(base)).isFile()) {
      this.#root = dirname(base)
      return [await this.#describe(basename(base))]
    }
    this.#root = base
    const entries = await readdir(base, { recursive: true, withFileTypes: true })
    const names = entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(base, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
      .filter((name) => counts(this.#location, name))
    signal.throwIfAborted()
    const files = await Promise.all(names.map((name) => this.#describe(name)))
    return files.filter(({ bytes }) => bytes > 0)
  }

  async *read(file: DataFile, { from, to }: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const handle = await open(this.uriOf(file))
    try {
      if (versionOf(await handle.stat()) !== file.version) throw changed(file)
      // Up to the size that was listed: what a writer appends meanwhile is another version of the file.
      const end = Math.min(to, file.bytes) - 1
      const options = { fd: handle, start: from, end, highWaterMark: CHUNK_BYTES, autoClose: false, signal }
      if (from <= end) yield* createReadStream('', options)
    } finally {
      await handle.close()
    }
  }

  uriOf({ name }: DataFile): string {
    return join(this.#root ?? resolve(this.#location.base), name)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  async #describe(name: string): Promise<DataFile> {
    const found = await stat(join(this.#root ?? '', name))
    // A link to a folder is listed as a link; what lies behind it is not followed, so that no circle is.
    const bytes = found.isFile() ? found.size : 0
    return { name, bytes, modifiedAtMs: Math.floor(found.mtimeMs), version: versionOf(found) }
  }
}

function versionOf({ mtimeMs, size }: { readonly mtimeMs: number; readonly size: number }): string {
  return `${mtimeMs}:${size}`
}

export function changed({ name }: Pick<DataFile, 'name'>): BadFile {
  return new BadFile('file_changed', `The file ${name} changed while the sync was going on.`)
}
