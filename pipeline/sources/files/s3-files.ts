import {
  GetObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { type S3Access, s3Client } from '../../../platform/services/s3/client.ts'
import { s3Error } from '../../../platform/services/s3/errors.ts'
import type { FilesConfig } from './config.ts'
import type { DataFile } from './data-file.ts'
import type { ByteRange, FileStore } from './file-store.ts'
import { changed } from './local-files.ts'
import { counts, type Location } from './location.ts'

/** Read by ranges and not as one stream, so that a pipeline that pauses for minutes holds no connection open meanwhile. */
const RANGE_BYTES = 8 * 1024 * 1024

export class S3Files implements FileStore {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #url: string
  readonly #location: Location
  /** The key before each name, with its slash; empty where the location is the whole bucket. */
  #folder: string

  constructor(location: Location, access: S3Access) {
    this.#location = location
    this.#bucket = location.bucket ?? ''
    this.#client = s3Client(access)
    this.#url = access.url
    this.#folder = location.base === '' ? '' : `${location.base}/`
  }

  async list(signal: AbortSignal): Promise<readonly DataFile[]> {
    const { base } = this.#location
    const files: DataFile[] = []
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: base },
      { abortSignal: signal },
    )
    try {
      for await (const { Contents = [] } of pages) {
        for (const { Key = '', Size = 0, ETag = '', LastModified } of Contents) {
          const modifiedAtMs = LastModified?.getTime() ?? 0
          if (Size > 0) files.push({ name: Key, bytes: Size, modifiedAtMs, version: ETag })
        }
      }
    } catch (error) {
      throw this.#translated(error, signal)
    }
    return this.#named(files)
  }

  async *read(file: DataFile, { from, to }: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const end = Math.min(to, file.bytes)
    for (let at = from; at < end; at += RANGE_BYTES) {
      const last = Math.min(at + RANGE_BYTES, end) - 1
      yield await this.#range(file, `bytes=${at}-${last}`, signal)
    }
  }

  uriOf({ name }: DataFile): string {
    return `s3://${this.#bucket}/${this.#folder}${name}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }

  /** By names relative to the location; a key that is the location itself is the one file there is. */
  #named(files: readonly DataFile[]): readonly DataFile[] {
    const { base } = this.#location
    const single = files.find(({ name }) => name === base)
    if (single !== undefined) {
      this.#folder = base.slice(0, base.lastIndexOf('/') + 1)
      return [{ ...single, name: base.slice(this.#folder.length) }]
    }
    return files
      .filter(({ name }) => name.startsWith(this.#folder) && !name.endsWith('/'))
      .map((file) => ({ ...file, name: file.name.slice(this.#folder.length) }))
      .filter(({ name }) => counts(this.#location, name))
  }

  async #range(file: DataFile, range: string, signal: AbortSignal): Promise<Uint8Array> {
    try {
      const { Body } = await this.#client.send(
        new GetObjectCommand({
          Bucket: this.#bucket,
          Key: `${this.#folder}${file.name}`,
          Range: range,
          IfMatch: file.version,
        }),
        { abortSignal: signal },
      )
      return (await Body?.transformToByteArray()) ?? new Uint8Array()
    } catch (error) {
      if (error instanceof S3ServiceException && [404, 412].includes(error.$metadata.httpStatusCode ?? 0))
        throw changed(file)
      throw this.#translated(error, signal)
    }
  }

  #translated(error: unknown, signal: AbortSignal): unknown {
    return signal.aborted ? signal.reason : s3Error(error, { url: this.#url, bucket: this.#bucket })
  }
}

/** @param config of an `s3://` location, for which keys are there */
export function s3AccessOf({
  endpoint,
  region,
  accessKeyId = '',
  secretAccessKey = '',
  sessionToken,
  urlStyle,
}: FilesConfig): S3Access {
  return {
    url: endpoint?.replace(/\/+$/, '') ?? `https://s3.${region}.amazonaws.com`,
    region,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    urlStyle:
      urlStyle ??
      (endpoint === undefined || new URL(endpoint).hostname.endsWith('.amazonaws.com') ? 'vhost' : 'path'),
  }
}
