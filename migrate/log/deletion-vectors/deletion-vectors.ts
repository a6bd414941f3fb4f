import { crc32 } from 'node:zlib'
import type { Storage } from '../../../platform/endpoints.ts'
import { messageOf } from '../../../platform/errors.ts'
import { parseLocation } from '../../source/location.ts'
import { openReadableStore } from '../../source/readable-store.ts'
import type { DeltaSource } from '../../source/source.ts'
import type { DeletionVector } from '../actions.ts'
import { brokenLog } from '../errors.ts'
import { type FilePath, resolveFilePath } from '../file-path.ts'
import { decodePositions } from './roaring.ts'
import { decodeZ85 } from './z85.ts'

/** Characters of base85 that a UUID takes. */
const UUID_CHARACTERS = 20
const LENGTH_BYTES = 4

/** Where a deletion vector lies, or null for one within the log itself. */
export function deletionVectorFile(
  table: Storage,
  { storageType, pathOrInlineDv }: DeletionVector,
  logFile: string,
): FilePath | null {
  if (storageType === 'i') return null
  if (storageType === 'p') return resolveFilePath(table, '', pathOrInlineDv, logFile)
  try {
    const prefix = pathOrInlineDv.slice(0, -UUID_CHARACTERS)
    const name = `deletion_vector_${uuidOf(pathOrInlineDv.slice(-UUID_CHARACTERS))}.bin`
    return resolveFilePath(table, '', `${prefix === '' ? '' : `${prefix}/`}${name}`, logFile)
  } catch (cause) {
    throw brokenLog(logFile, `names the deletion vector ${pathOrInlineDv}, which is none`, cause)
  }
}

function uuidOf(text: string): string {
  const hex = Buffer.from(decodeZ85(text)).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Reads deletion vectors of one table; a file that several of them share is read once. */
export class DeletionVectorReader {
  readonly #source: DeltaSource
  #last: { readonly uri: string; readonly bytes: Uint8Array } | null = null

  constructor(source: DeltaSource) {
    this.#source = source
  }

  /**
   * The positions of the deleted rows in their data file, from 0, ascending.
   * @param logFile where the vector stands, for errors
   * @throws LakeduelError `SOURCE_BROKEN` where it is missing, damaged or not what the log says
   */
  async positions(vector: DeletionVector, logFile: string): Promise<readonly number[]> {
    const file = deletionVectorFile(this.#source.storage, vector, logFile)
    const where = file?.uri ?? `the inline deletion vector in ${logFile}`
    const serialized = file === null ? inlineBytes(vector, where) : await this.#stored(vector, file)
    const positions = decoded(serialized, where)
    if (positions.length === vector.cardinality) return positions
    throw brokenLog(where, `deletes ${positions.length} rows, and the log says ${vector.cardinality}`)
  }

  async #stored({ offset, sizeInBytes }: DeletionVector, file: FilePath): Promise<Uint8Array> {
    const bytes = await this.#read(file)
    const start = offset ?? 0
    const from = start + LENGTH_BYTES
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (from + sizeInBytes + LENGTH_BYTES > bytes.byteLength) {
      throw brokenLog(file.uri, `has ${bytes.byteLength} bytes, and the log puts ${sizeInBytes} at ${start}`)
    }
    const length = view.getUint32(start)
    if (length !== sizeInBytes) {
      throw brokenLog(file.uri, `holds ${length} bytes at ${start}, and the log says ${sizeInBytes}`)
    }
    const data = bytes.subarray(from, from + sizeInBytes)
    if (crc32(data) !== view.getUint32(from + sizeInBytes)) {
      throw brokenLog(file.uri, `is damaged: its checksum at ${start} doesn't fit`)
    }
    return data
  }

  async #read(file: FilePath): Promise<Uint8Array> {
    if (this.#last?.uri === file.uri) return this.#last.bytes
    const bytes = await readFile(this.#source, file)
    if (bytes === null) throw brokenLog(file.uri, 'is missing, and holds deletion vectors')
    this.#last = { uri: file.uri, bytes }
    return bytes
  }
}

async function readFile({ storage, store }: DeltaSource, { key, uri }: FilePath): Promise<Uint8Array | null> {
  if (key !== null) return store.read(key)
  const location = parseLocation(uri)
  const everywhere: Storage =
    location.kind === 's3' && storage.kind === 's3'
      ? { ...storage, bucket: location.bucket, prefix: '' }
      : { kind: 'local', root: '/' }
  await using elsewhere = openReadableStore(everywhere)
  return await elsewhere.read(location.kind === 's3' ? location.key : location.path)
}

function inlineBytes({ pathOrInlineDv, sizeInBytes }: DeletionVector, where: string): Uint8Array {
  try {
    return decodeZ85(pathOrInlineDv).subarray(0, sizeInBytes)
  } catch (cause) {
    throw brokenLog(where, `can't be read: ${messageOf(cause)}`, cause)
  }
}

function decoded(bytes: Uint8Array, where: string): readonly number[] {
  try {
    return decodePositions(bytes)
  } catch (cause) {
    throw brokenLog(where, `is no deletion vector: ${messageOf(cause)}`, cause)
  }
}
