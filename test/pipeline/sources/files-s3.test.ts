import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parseSourceConfig, type RawConfig } from '../../../pipeline/sources/config.ts'
import { classify } from '../../../pipeline/sources/errors.ts'
import { files } from '../../../pipeline/sources/files/index.ts'
import type { JsonValue, Page, SourceTable } from '../../../pipeline/sources/source.ts'
import { createS3Secret } from '../../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { literal } from '../../../platform/duckdb/sql.ts'
import { s3Client } from '../../../platform/services/s3/client.ts'
import { sourceContract } from './contract.ts'

const MIB = 1024 * 1024

let client: S3Client
const folder = `files-${randomUUID().slice(0, 8)}`
beforeAll(() => {
  client = s3Client(inject('services').s3)
})
afterAll(() => client.destroy())

async function put(name: string, body: string | Uint8Array): Promise<void> {
  const { bucket, prefix } = inject('services')
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${folder}/${name}`, Body: body }))
}

function locationOf(name: string): string {
  const { bucket, prefix } = inject('services')
  return `s3://${bucket}/${prefix}${folder}/${name}`
}

function configOf(name: string, changes: RawConfig = {}): RawConfig {
  const { s3 } = inject('services')
  return {
    location: locationOf(name),
    endpoint: s3.url,
    region: s3.region,
    accessKeyId: s3.accessKeyId,
    secretAccessKey: s3.secretAccessKey,
    urlStyle: s3.urlStyle,
    ...changes,
  }
}

interface Reading {
  readonly table: SourceTable
  readonly pages: readonly Page[]
}

async function read(config: RawConfig, resume: JsonValue = null, pageRows = 100_000): Promise<Reading> {
  await using source = await files.open(parseSourceConfig(files, config))
  const [table] = await source.discover()
  if (table === undefined) throw new Error('the source has no table')
  const pages: Page[] = []
  const limits = { readAheadBytes: 150 * MIB, pageRows, maxRowBytes: Number.MAX_SAFE_INTEGER }
  const request = {
    table,
    incremental: null,
    resume,
    signal: new AbortController().signal,
    limits,
    parents: null,
  }
  for await (const page of source.read(request)) pages.push(page)
  return { table, pages }
}

async function failureOf(config: RawConfig) {
  const error = await read(config).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  return classify(files, error)
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, id) => `{"id":${id},"text":"row ${id}"}\n`).join('')
}

describe('on S3', () => {
  beforeAll(async () => {
    const { s3, duckdbExtensions } = inject('services')
    await put('ndjson/a.ndjson', lines(400))
    await put('ndjson/deep/b.ndjson.gz', gzipSync(lines(300)))
    await put(
      'csv/a.csv',
      `id,text\n${Array.from({ length: 500 }, (_, id) => `${id},"row, ${id}"\n`).join('')}`,
    )
    await using session = await DuckDbSession.open({
      extensionPaths: duckdbExtensions,
      extensions: ['httpfs'],
      settings: {},
      secrets: [],
    })
    await createS3Secret(session, s3)
    for (const name of ['a', 'b'])
      await session.run(
        `COPY (SELECT i AS id, 'row ' || i AS text FROM range(3000) t(i)) TO ${literal(locationOf(`parquet/${name}.parquet`))} (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
      )
  })

  for (const kind of ['ndjson', 'csv', 'parquet'])
    sourceContract(`the files source on ${kind}`, files, () => configOf(kind), {
      pageRows: 150,
      readAheadBytes: 4_000,
      cursors: 8,
    })

  test('an object, a prefix and a glob all find what is there, and names are relative to it', async () => {
    const { pages } = await read(configOf('ndjson'))
    expect(new Set(pages.flatMap(({ rows }) => rows).map((row) => row['_file']))).toEqual(
      new Set(['a.ndjson', 'deep/b.ndjson.gz']),
    )
    const single = await read(configOf('ndjson/a.ndjson'))
    expect(single.pages.flatMap(({ rows }) => rows)[0]).toMatchObject({ id: 0, _file: 'a.ndjson', _row: 1 })
    expect(single.table.name).toBe('a')
    expect((await read(configOf('ndjson/**/b*'))).pages.flatMap(({ rows }) => rows)).toHaveLength(300)
  })

  test('a file of several ranges is read whole, and from its middle', async () => {
    await put(
      'large/a.ndjson',
      Buffer.from(
        `{"id":1,"text":"${'é'.repeat(5 * MIB)}"}\n{"id":2,"text":"${'x'.repeat(9 * MIB)}"}\n{"id":3}\n`,
      ),
    )
    const { pages } = await read(configOf('large'), null, 1)
    expect(pages.flatMap(({ rows }) => rows).map((row) => row['id'])).toEqual([1, 2, 3])
    const rest = await read(configOf('large'), pages[0]?.cursor ?? null)
    expect(rest.pages.flatMap(({ rows }) => rows).map((row) => row['id'])).toEqual([2, 3])
  })

  test('an object that is written anew while it is read is told', async () => {
    const wide = `{"text":"${'x'.repeat(10 * MIB)}"}\n`
    await put('changing/a.ndjson', lines(1) + wide + wide)
    await using source = await files.open(parseSourceConfig(files, configOf('changing')))
    const [table] = await source.discover()
    if (table === undefined) throw new Error('the source has no table')
    const limits = { readAheadBytes: MIB, pageRows: 1, maxRowBytes: Number.MAX_SAFE_INTEGER }
    const request = {
      table,
      incremental: null,
      resume: null,
      signal: new AbortController().signal,
      limits,
      parents: null,
    }
    const reading = (async () => {
      for await (const _ of source.read(request)) await put('changing/a.ndjson', lines(5))
    })()
    await expect(reading).rejects.toThrow('a.ndjson changed')
  })

  test('wrong keys and a bucket that is not there are the user’s to mend, and no key shows', async () => {
    const secretAccessKey = 'a-secret-that-is-wrong'
    for (const kind of ['ndjson', 'parquet']) {
      const failure = await failureOf(configOf(kind, { secretAccessKey }))
      expect(failure).toMatchObject({ class: 'user', code: 'object_store_refuses' })
      expect(JSON.stringify(failure)).not.toContain(secretAccessKey)
    }
    expect(await failureOf(configOf('x', { location: 's3://no-such-bucket-of-lakeduel/x' }))).toMatchObject({
      class: 'user',
    })
    expect(await failureOf(configOf('nothing-here'))).toMatchObject({ class: 'user', code: 'no_files' })
  })

  test('an endpoint that is away is tried again', async () => {
    expect(await failureOf(configOf('ndjson', { endpoint: 'http://127.0.0.1:9' }))).toMatchObject({
      class: 'source',
      code: 'object_store_away',
    })
  })

  test('an s3:// location without keys says so', () => {
    const { accessKeyId: _, ...config } = configOf('ndjson')
    expect(() => parseSourceConfig(files, config)).toThrow("Setting 'accessKeyId'")
  })
})
