import { once } from 'node:events'
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'
import type { Bytes } from './levels.ts'

/** The fastest but the negative ones: staged parts are read once and removed. */
const LEVEL = 1
const PARAMS = { [constants.ZSTD_c_compressionLevel]: LEVEL }
/** Pieces of more than this are compressed one by one instead of being put together first. */
const JOINED_BYTES = 4 * 1024 ** 2
const CHUNK_BYTES = 512 * 1024

/** One zstd frame of the pieces, in order, and in pieces again. */
export async function zstd(pieces: readonly Bytes[]): Promise<readonly Bytes[]> {
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (bytes <= JOINED_BYTES) return [zstdCompressSync(Buffer.concat(pieces, bytes), { params: PARAMS })]
  const stream = createZstdCompress({ params: PARAMS, chunkSize: CHUNK_BYTES, pledgedSrcSize: bytes })
  const compressed: Bytes[] = []
  stream.on('data', (chunk: Buffer) => compressed.push(chunk))
  const ended = once(stream, 'end')
  for (const piece of pieces) if (!stream.write(piece)) await once(stream, 'drain')
  stream.end()
  await ended
  return compressed
}
