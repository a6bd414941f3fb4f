import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type FaultKind,
  type Network,
  NO_LATENCY,
  openNetwork,
  type Toxiproxy,
} from '../../../../platform/services/network/network.ts'
import { postgresClient } from '../../../../platform/services/postgres/client.ts'
import { s3Client } from '../../../../platform/services/s3/client.ts'
import { direct, endpointOf, openTestToxiproxy } from './network.ts'

let toxiproxy: Toxiproxy
let network: Network
const straight = s3Client(direct.storage.endpoint)
beforeAll(async () => {
  toxiproxy = await openTestToxiproxy()
  network = await openNetwork(toxiproxy, direct.storage, direct.postgres, NO_LATENCY)
})
afterAll(async () => {
  straight.destroy()
  await network[Symbol.asyncDispose]()
  await toxiproxy[Symbol.asyncDispose]()
})

const { bucket: Bucket, prefix } = direct.storage
let Key: string
beforeEach(() => {
  Key = `${prefix}network/${randomUUID()}`
})

/** Through the network, and without retries, which would hide most faults. */
function client(): S3Client {
  const { url, region, accessKeyId, secretAccessKey } = endpointOf(network.storage)
  return new S3Client({
    endpoint: url,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  })
}

const put = (through: S3Client) => through.send(new PutObjectCommand({ Bucket, Key, Body: 'body' }))
const isStored = () =>
  straight.send(new HeadObjectCommand({ Bucket, Key })).then(
    () => true,
    () => false,
  )

/** A connection through the network, which is closed in the end however it fares. */
async function withConnection(work: (connection: Client) => Promise<void>): Promise<void> {
  const connection = postgresClient(network.postgres)
  connection.on('error', () => undefined)
  await connection.connect()
  try {
    await work(connection)
  } finally {
    await connection.end()
  }
}

const one = async (connection: Client) => (await connection.query('SELECT 1 AS one')).rows
const pending = { isPending: true }
/** Long enough for anything that isn't held back. */
const unlessPending = (promise: Promise<unknown>) => Promise.race([promise, sleep(400, pending)])

describe('on the way to S3', () => {
  const faults: readonly (readonly [FaultKind, object])[] = [
    ['down', { code: expect.stringMatching(/ECONNREFUSED|ECONNRESET/) }],
    ['reset', { code: 'ECONNRESET' }],
    ['503', { name: 'SlowDown', $metadata: { httpStatusCode: 503 } }],
  ]
  it.each(faults)('%s fails requests until it is healed', async (kind, error) => {
    const heal = await network.fault('s3', kind)
    const through = client()
    await expect(put(through)).rejects.toMatchObject(error)
    await heal()
    await put(through)
    expect(await isStored()).toBe(true)
    through.destroy()
  })

  it.each([
    ['answers', true],
    ['requests', false],
  ] as const)('reset of %s leaves a put stored: %s', async (on, stored) => {
    const heal = await network.fault('s3', 'reset', { on })
    const through = client()
    await expect(put(through)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await isStored()).toBe(stored)
    await heal()
    through.destroy()
  })

  it('a connection that was open before fails, too', async () => {
    const through = client()
    for (const kind of ['down', 'reset', '503'] as const) {
      await put(through)
      const heal = await network.fault('s3', kind)
      await expect(put(through)).rejects.toThrow()
      await heal()
    }
    through.destroy()
  })

  it('a stall holds a request back without breaking anything, and heals', async () => {
    const through = client()
    await put(through)
    const heal = await network.fault('s3', 'stall')
    const stalled = through.send(new GetObjectCommand({ Bucket, Key }))
    expect(await unlessPending(stalled)).toBe(pending)
    await heal()
    expect(await (await stalled).Body?.transformToString()).toBe('body')
    through.destroy()
  })

  it('latency comes on top of what is there, and only until it is healed', async () => {
    const through = client()
    const heal = await network.fault('s3', 'latency', { latencyMs: 60_000 })
    const late = put(through)
    expect(await unlessPending(late)).toBe(pending)
    expect(await isStored()).toBe(true)
    await heal()
    await late
    through.destroy()
  })
})

describe('on the way to Postgres', () => {
  it.each(['down', 'reset'] as const)(
    '%s breaks connections, and new ones work after healing',
    async (kind) => {
      await withConnection(async (connection) => {
        const heal = await network.fault('postgres', kind)
        await expect(one(connection)).rejects.toThrow()
        await expect(withConnection(async () => undefined)).rejects.toThrow()
        await heal()
        await withConnection(async (anew) => expect(await one(anew)).toEqual([{ one: 1 }]))
      })
    },
  )

  it('a stall holds a statement back without breaking its connection', async () => {
    await withConnection(async (connection) => {
      const heal = await network.fault('postgres', 'stall')
      const stalled = one(connection)
      expect(await unlessPending(stalled)).toBe(pending)
      await heal()
      expect(await stalled).toEqual([{ one: 1 }])
    })
  })

  it('has no answer 503', async () => {
    await expect(network.fault('postgres', '503')).rejects.toMatchObject({ code: 'USAGE' })
  })
})

it('faults of one kind add up, heal apart, and healing twice does nothing', async () => {
  const through = client()
  const healFirst = await network.fault('s3', 'reset')
  const healSecond = await network.fault('s3', 'reset')
  await healFirst()
  await healFirst()
  await expect(put(through)).rejects.toThrow()
  await healSecond()
  await put(through)
  through.destroy()
})
