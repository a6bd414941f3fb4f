import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'
import type { Bytes } from './levels.ts'

/** The fastest but for the negative ones: staged parts are read once and removed. */
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1 }
/** Up to here pieces are put together and compressed at once; beyond, that copy would cost more than it saves. */
const JOINED_BYTES = 4 * 1024 ** 2
const CHUNK_BYTES = 512 * 1024

/** One zstd frame of the pieces, in pieces again. */
export async function zstd(pieces: readonly Bytes[]): Promise<readonly Bytes[]> {
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (bytes <= JOINED_BYTES) return [zstdCompressSync(Buffer.concat(pieces, bytes), { params: PARAMS })]
  const compressed: Bytes[] = []
  await pipeline(
    Readable.from(pieces),
    createZstdCompress({ params: PARAMS, chunkSize: CHUNK_BYTES, pledgedSrcSize: bytes }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) compressed.push(chunk)
    },
  )
  return compressed
}
