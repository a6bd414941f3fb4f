import { createReadStream } from 'node:fs'
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type PutObjectCommandInput,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import pLimit from 'p-limit'
import type { ObjectStore, StorageUsage, StoredObject } from './object-store.ts'
import { usageOf } from './usage.ts'

const PARALLEL_REQUESTS = 16
/** The most keys that S3 takes in one DeleteObjects request. */
const KEYS_PER_DELETE = 1_000
/** The key exists, or another put of it is under way. */
const TAKEN: ReadonlySet<number> = new Set([412, 409])

export class S3Store implements ObjectStore {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #root: string

  /** @param root of all keys: with a trailing slash, or empty */
  constructor(client: S3Client, bucket: string, root: string) {
    this.#client = client
    this.#bucket = bucket
    this.#root = root
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const objects: StoredObject[] = []
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: this.#root + prefix },
    )
    for await (const { Contents = [] } of pages) {
      for (const { Key = '', Size = 0, LastModified } of Contents) {
        const key = Key.slice(this.#root.length)
        objects.push({ key, bytes: Size, modifiedAtMs: LastModified?.getTime() ?? 0 })
      }
    }
    return objects
  }

  async read(key: string): Promise<Uint8Array | null> {
    try {
      const { Body } = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#bucket, Key: this.#root + key }),
      )
      return (await Body?.transformToByteArray()) ?? null
    } catch (error) {
      if (error instanceof NoSuchKey) return null
      throw error
    }
  }

  async copyPrefix(from: string, to: string): Promise<StorageUsage> {
    const objects = await this.list(from)
    await pLimit(PARALLEL_REQUESTS).map(objects, ({ key }) => this.copy(key, to + key.slice(from.length)))
    return usageOf(objects)
  }

  /** Up to 5 GiB, the most that S3 copies in one request; engines write smaller files. */
  async copy(from: string, to: string): Promise<void> {
    const source = `${this.#bucket}/${this.#root}${from}`.split('/').map(encodeURIComponent).join('/')
    await this.#client.send(
      new CopyObjectCommand({ Bucket: this.#bucket, CopySource: source, Key: this.#root + to }),
    )
  }

  async deletePrefix(prefix: string): Promise<void> {
    await this.deleteKeys((await this.list(prefix)).map(({ key }) => key))
  }

  async deleteKeys(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += KEYS_PER_DELETE) {
      const Objects = keys.slice(from, from + KEYS_PER_DELETE).map((key) => ({ Key: this.#root + key }))
      const { Errors = [] } = await this.#client.send(
        new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }),
      )
      const [first] = Errors
      if (first !== undefined)
        throw new Error(`S3 did not delete ${first.Key}: ${first.Code} ${first.Message}`)
    }
  }

  async usage(prefix: string): Promise<StorageUsage> {
    return usageOf(await this.list(prefix))
  }

  async putFile(path: string, key: string): Promise<void> {
    const params = { Bucket: this.#bucket, Key: this.#root + key, Body: createReadStream(path) }
    await new Upload({ client: this.#client, params }).done()
  }

  /** Makes or replaces an object, whole or not at all. */
  async put(key: string, text: string): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: this.#root + key, Body: text }))
  }

  async putIfAbsent(key: string, text: string): Promise<boolean> {
    return await this.#putIf(key, text, { IfNoneMatch: '*' })
  }

  /** Adds to the end of an object, or makes it; false when another one wrote it in the meantime, and nothing was added. */
  async append(key: string, text: string): Promise<boolean> {
    const before = await this.#current(key)
    return before === null
      ? await this.putIfAbsent(key, text)
      : await this.#putIf(key, before.text + text, { IfMatch: before.version })
  }

  async #current(key: string): Promise<{ readonly text: string; readonly version: string } | null> {
    try {
      const { Body, ETag = '' } = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#bucket, Key: this.#root + key }),
      )
      return { text: (await Body?.transformToString()) ?? '', version: ETag }
    } catch (error) {
      if (error instanceof NoSuchKey) return null
      throw error
    }
  }

  async #putIf(
    key: string,
    text: string,
    condition: Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>,
  ): Promise<boolean> {
    try {
      const target = { Bucket: this.#bucket, Key: this.#root + key }
      await this.#client.send(new PutObjectCommand({ ...target, Body: text, ...condition }))
      return true
    } catch (error) {
      if (error instanceof S3ServiceException && TAKEN.has(error.$metadata.httpStatusCode ?? 0)) return false
      throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }
}
