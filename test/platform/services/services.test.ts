import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HeadBucketCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { redact } from '../../../platform/config/redact.ts'
import type { PostgresEndpoint, S3Endpoint } from '../../../platform/endpoints.ts'
import { dockerAnswers } from '../../../platform/services/docker.ts'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { dropSchemasWithPrefix } from '../../../platform/services/postgres/schemas.ts'
import { s3Client } from '../../../platform/services/s3/client.ts'
import { type Services, startServices } from '../../../platform/services/services.ts'
import { openObjectStore } from '../../../platform/storage/object-store.ts'
import { openTestHome, type TestHome } from './home.ts'

let home: TestHome
let services: Services
let s3: S3Endpoint

beforeAll(async () => {
  home = await openTestHome()
  services = await startServices(await home.config(), { runId: 'shared' })
  if (services.storage.kind !== 's3') throw new Error('no object store was started')
  s3 = services.storage.endpoint
})
afterAll(async () => {
  await services[Symbol.asyncDispose]()
  expect(await home.leftovers()).toEqual([])
  await home[Symbol.asyncDispose]()
})

/** The shared servers, as a user would configure servers of theirs. */
function configured(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { user, password, host, port, database } = services.postgres
  return {
    LAKEDUEL_S3_ENDPOINT: s3.url,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    LAKEDUEL_POSTGRES: `postgresql://${user}:${password}@${host}:${port}/${database}`,
    ...more,
  }
}

async function start(env: NodeJS.ProcessEnv, runId = 'other'): Promise<Services> {
  return startServices(await home.config(env), { runId })
}

describe('local services', () => {
  it('put only if absent, count their requests by operation, and count Postgres statements', async () => {
    expect(s3).toMatchObject({ origin: 'local', putIfAbsent: true })
    expect(await (await fetch(s3.metricsUrl ?? '')).text()).toMatch(
      /minio_\w+_requests?_\w*total\{.*name="PutObject"/,
    )
    expect(services.postgres).toMatchObject({ origin: 'local', statStatements: true })
  })

  it('speak English in their errors and keep commits durable', async () => {
    const settings = await withPostgres(
      services.postgres,
      async (client) =>
        (
          await client.query(
            `SELECT current_setting('lc_messages') AS language, current_setting('fsync') AS fsync`,
          )
        ).rows,
    )
    expect(settings).toEqual([{ language: 'C', fsync: 'on' }])
  })

  it('are described without a secret', () => {
    const description = JSON.stringify(services.describe())
    for (const secret of [s3.accessKeyId, s3.secretAccessKey, services.postgres.password]) {
      expect(description).not.toContain(secret)
    }
    expect(redact(services.describe())).toEqual(services.describe())
  })
})

describe('configured services', () => {
  afterEach(async () => {
    // The folder of the shared services only.
    expect(await readdir(join(home.folder, 'run'))).toHaveLength(1)
  })

  it('get a bucket of the run, which is gone afterwards', async () => {
    const bucket = { Bucket: 'lakeduel-other' }
    const client = s3Client(s3)
    {
      await using own = await start(configured())
      expect(own.describe().storage).toMatchObject({
        origin: 'configured',
        version: 'MinIO',
        bucket: bucket.Bucket,
      })
      await client.send(new HeadBucketCommand(bucket))
    }
    await expect(client.send(new HeadBucketCommand(bucket))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    })
    client.destroy()
  })

  it('in a given bucket, empty their own prefix and leave the rest', async () => {
    await using store = openObjectStore(services.storage)
    await store.putFile(import.meta.filename, 'somebody/else')
    {
      await using own = await start(
        configured({ LAKEDUEL_S3_BUCKET: 'lakeduel-shared', LAKEDUEL_S3_PREFIX: 'tests' }),
      )
      await using ownStore = openObjectStore(own.storage)
      await ownStore.putFile(import.meta.filename, 'mine')
      expect((await store.list('')).map(({ key }) => key)).toEqual([
        'somebody/else',
        'tests/lakeduel-other/mine',
      ])
    }
    expect((await store.list('')).map(({ key }) => key)).toEqual(['somebody/else'])
    await store.deletePrefix('')
  })

  it.each<[string, string, NodeJS.ProcessEnv]>([
    ['wrong S3 keys', 'S3_CREDENTIALS', { AWS_SECRET_ACCESS_KEY: 'wrong-key' }],
    ['a bucket that does not exist', 'S3_BUCKET_MISSING', { LAKEDUEL_S3_BUCKET: 'not-there' }],
    ['an S3 endpoint that is down', 'S3_UNREACHABLE', { LAKEDUEL_S3_ENDPOINT: 'http://127.0.0.1:1' }],
    ['a wrong Postgres password', 'POSTGRES_CREDENTIALS', { PGPASSWORD: 'wrong-key' }],
    ['a Postgres that is down', 'POSTGRES_UNREACHABLE', { PGPORT: '1' }],
    ['a database that does not exist', 'CONFIG_INVALID', { PGDATABASE: 'not-there' }],
  ])('with %s, fail as %s, with a remedy and without the secret', async (_, code, fault) => {
    const { LAKEDUEL_POSTGRES: _url, ...s3Variables } = configured()
    const { host, port, user, password, database } = services.postgres
    const postgres = {
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password,
      PGDATABASE: database,
    }
    const error = await start({ ...s3Variables, ...postgres, ...fault }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code, remedy: expect.stringMatching(/\.$/) })
    expect(JSON.stringify([String(error), error])).not.toContain('wrong-key')
  })

  it('are told apart from a wished port that is taken', async () => {
    const taken: Server = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { LAKEDUEL_POSTGRES: _url, ...s3Variables } = configured()
    await expect(start({ ...s3Variables, LAKEDUEL_POSTGRES_PORT: String(port) })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      facts: { port },
    })
    taken.close()
  })
})

it('local storage is a directory of the run, gone afterwards, and needs no object store', async () => {
  const { LAKEDUEL_POSTGRES = '' } = configured()
  await using own = await start({ LAKEDUEL_POSTGRES, LAKEDUEL_STORAGE: 'local' })
  if (own.storage.kind !== 'local') throw new Error('not local')
  await writeFile(join(own.storage.root, 'x'), 'x')
  await own[Symbol.asyncDispose]()
  expect(await readdir(join(home.folder, 'storage'))).toEqual([])
})

it.each(['before they are up', 'while they start'])(
  'an interrupt %s leaves no process and no folder',
  async (when) => {
    await using own = await openTestHome()
    const aborting = new AbortController()
    const abort = (): void => aborting.abort(new Error('interrupted'))
    if (when === 'before they are up') abort()
    const starting = startServices(await own.config(), {
      runId: 'aborted',
      signal: aborting.signal,
      report: abort,
    })
    await expect(starting).rejects.toThrow('interrupted')
    expect(await own.leftovers()).toEqual([])
  },
)

it('two runs at once get their own ports, buckets and data', async () => {
  await using own = await openTestHome()
  const config = await own.config()
  const runs = await Promise.all(['one', 'two'].map((runId) => startServices(config, { runId })))
  const places = runs.map((run) => JSON.stringify([run.describe().storage, run.postgres.port]))
  expect(new Set(places).size).toBe(2)
  await Promise.all(runs.map((run) => run[Symbol.asyncDispose]()))
  expect(await own.leftovers()).toEqual([])
})

it('drops the schemas of one run and no other', async () => {
  const postgres: PostgresEndpoint = services.postgres
  await withPostgres(postgres, (client) =>
    client.query('CREATE SCHEMA run_1_a; CREATE SCHEMA run_1_b; CREATE SCHEMA run_2'),
  )
  expect([...(await dropSchemasWithPrefix(postgres, 'run_1_'))].sort()).toEqual(['run_1_a', 'run_1_b'])
  expect(await dropSchemasWithPrefix(postgres, 'run_')).toEqual(['run_2'])
})

const hasDocker = await dockerAnswers()
describe.skipIf(!hasDocker)(
  `services in Docker${hasDocker ? '' : ' (skipped: no Docker engine answers)'}`,
  () => {
    it('start, pass the probe and go away', async () => {
      await using own = await start({ LAKEDUEL_DOCKER: 'auto' })
      expect(own.describe()).toMatchObject({
        storage: { origin: 'docker', putIfAbsent: true },
        postgres: { origin: 'docker', statStatements: true },
      })
    })
  },
)

describe.each(['s3', 'local'])('the %s object store', (kind) => {
  it('lists, copies, measures and deletes by prefix', async () => {
    const root = await mkdtemp(join(tmpdir(), 'lakeduel-store-'))
    await using store = openObjectStore(kind === 's3' ? services.storage : { kind: 'local', root })
    await writeFile(join(root, 'source'), 'twelve bytes')
    const source = join(root, 'source')
    for (const key of ['store/b/2 &+ü', 'store/a/1', 'store/ab']) await store.putFile(source, key)
    const modifiedAtMs = expect.any(Number)
    expect(await store.list('store/a')).toEqual([
      { key: 'store/a/1', bytes: 12, modifiedAtMs },
      { key: 'store/ab', bytes: 12, modifiedAtMs },
    ])
    expect(await store.copyPrefix('store/', 'copy/')).toEqual({ objects: 3, bytes: 36 })
    await store.deletePrefix('store/')
    expect(await store.usage('store/')).toEqual({ objects: 0, bytes: 0 })
    expect((await store.list('copy/')).map(({ key }) => key)).toEqual(['copy/a/1', 'copy/ab', 'copy/b/2 &+ü'])
    await store.deletePrefix('copy/a')
    expect(await store.usage('copy/')).toEqual({ objects: 1, bytes: 12 })
    await store.deletePrefix('copy/')
    await rm(root, { recursive: true })
  })

  it('copies and deletes single objects, and puts one only where none is', async () => {
    const root = await mkdtemp(join(tmpdir(), 'lakeduel-store-'))
    await using store = openObjectStore(kind === 's3' ? services.storage : { kind: 'local', root })
    const puts = await Promise.all(['one', 'two', 'three'].map((text) => store.putIfAbsent('one/a +1', text)))
    expect(puts.filter((made) => made)).toHaveLength(1)
    expect(await store.putIfAbsent('one/a +1', 'too late')).toBe(false)
    await store.copy('one/a +1', 'one/b')
    const [original, copy] = await store.list('one/')
    expect(copy?.bytes).toBe(original?.bytes)
    expect(new TextDecoder().decode((await store.read('one/b')) ?? undefined)).toMatch(/^(one|two|three)$/)
    expect(await store.read('one/missing')).toBeNull()
    await store.deleteKeys(['one/a +1', 'one/missing'])
    expect((await store.list('one/')).map(({ key }) => key)).toEqual(['one/b'])
    await store.deletePrefix('one/')
    await rm(root, { recursive: true })
  })
})
