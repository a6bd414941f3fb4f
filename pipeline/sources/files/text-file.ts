import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { errorCode } from '../../../platform/disk.ts'
import type { DataFile } from './data-file.ts'
import { BadFile } from './errors.ts'
import type { FileStore } from './file-store.ts'

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
const UTF16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])]
const UNZIPPED_CHUNK_BYTES = 1024 * 1024

export interface TextRange {
  readonly from: number
  /** Bytes as they are stored that are read at most, for a look at the beginning. */
  readonly to?: number
}

/**
 * The bytes of a text file, uncompressed, from a place on. A compressed file is read again from its beginning for that.
 * @throws BadFile `broken_gzip`, and `invalid_utf8` for a file in UTF-16
 */
export async function* textBytes(
  store: FileStore,
  file: DataFile,
  { from, to = Number.MAX_SAFE_INTEGER }: TextRange,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const isZipped = file.name.endsWith('.gz')
  const stored = store.read(file, { from: isZipped ? 0 : from, to }, signal)
  const isPart = to < file.bytes
  const bytes = isZipped ? without(unzipped(stored, file.name, isPart), from) : stored
  yield* from === 0 ? withoutMark(bytes, file.name) : bytes
}

async function* unzipped(
  stored: AsyncIterable<Uint8Array>,
  name: string,
  isPart: boolean,
): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: UNZIPPED_CHUNK_BYTES })
  const piped = pipeline(Readable.from(stored), gunzip)
  // The failure shows where the bytes are read.
  piped.catch(() => undefined)
  try {
    yield* gunzip
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (isPart && code === 'Z_BUF_ERROR') return
    throw code.startsWith('Z_') ? new BadFile('broken_gzip', `${name} cannot be unzipped: ${code}.`) : error
  } finally {
    gunzip.destroy()
  }
}

async function* without(bytes: AsyncIterable<Uint8Array>, skipped: number): AsyncIterable<Uint8Array> {
  let left = skipped
  for await (const chunk of bytes) {
    if (chunk.byteLength > left) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.byteLength)
  }
}

/** The mark stays in the count of bytes, and out of the first line. */
async function* withoutMark(bytes: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Uint8Array> {
  let isFirst = true
  for await (const chunk of bytes) {
    if (isFirst && UTF16_MARKS.some((mark) => mark.equals(chunk.subarray(0, mark.length))))
      throw new BadFile('invalid_utf8', `${name} is UTF-16, not UTF-8.`)
    const isMarked = isFirst && BYTE_ORDER_MARK.equals(chunk.subarray(0, BYTE_ORDER_MARK.length))
    // A space is nothing to JSON, and is cut off the name of the first column of CSV.
    yield isMarked ? Buffer.concat([Buffer.from('   '), chunk.subarray(BYTE_ORDER_MARK.length)]) : chunk
    isFirst = false
  }
}
