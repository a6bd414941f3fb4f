import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Upload } from '@aws-sdk/lib-storage'
import { withDiskFullError } from '../../../platform/disk.ts'
import { type Storage, uriOf } from '../../../platform/endpoints.ts'
import { s3Client } from '../../../platform/services/s3/client.ts'
import { s3Error } from '../../../platform/services/s3/errors.ts'

/** The least that S3 takes as a piece of an upload, and so the least to hold: one that fills while others are on their way. */
const PIECE_BYTES = 5 * 1024 ** 2
const PIECES_AT_ONCE = 2

/** Where parts go, as streams of bytes of unknown length. */
export interface PartStore extends Disposable {
  /** The object exists once this returns, whole; on S3 not before, and nowhere when it fails. */
  put(key: string, body: Readable): Promise<void>
}

/** @param storage keys are relative to its root */
export function openPartStore(storage: Storage): PartStore {
  return storage.kind === 's3' ? s3PartStore(storage) : localPartStore(storage)
}

function s3PartStore({ endpoint, bucket, prefix }: Extract<Storage, { kind: 's3' }>): PartStore {
  const client = s3Client(endpoint)
  return {
    put: async (key, body) => {
      const params = { Bucket: bucket, Key: `${prefix}${key}`, Body: body }
      try {
        await new Upload({ client, params, partSize: PIECE_BYTES, queueSize: PIECES_AT_ONCE }).done()
      } catch (error) {
        throw s3Error(error, { url: endpoint.url, bucket })
      }
    },
    [Symbol.dispose]: () => client.destroy(),
  }
}

function localPartStore(storage: Extract<Storage, { kind: 'local' }>): PartStore {
  return {
    put: (key, body) => {
      const path = uriOf(storage, key)
      return withDiskFullError(storage.root, async () => {
        await mkdir(dirname(path), { recursive: true })
        try {
          await pipeline(body, createWriteStream(path))
        } catch (error) {
          // Half a part is of no use to anybody, and may fill the disk.
          await rm(path, { force: true })
          throw error
        }
      })
    },
    [Symbol.dispose]: () => undefined,
  }
}
