import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../../platform/config/load.ts'
import { runningProcesses } from '../../../../platform/process-identity.ts'
import {
  latencies,
  NO_LATENCY,
  openNetwork,
  openToxiproxy,
  PROFILE_LATENCIES,
  type Toxiproxy,
} from '../../../../platform/services/network/network.ts'
import { withPostgres } from '../../../../platform/services/postgres/client.ts'
import { direct, endpointOf, openTestToxiproxy } from './network.ts'

let toxiproxy: Toxiproxy
beforeAll(async () => {
  toxiproxy = await openTestToxiproxy()
})
afterAll(() => toxiproxy[Symbol.asyncDispose]())

const open = (profile: Parameters<typeof openNetwork>[3]) =>
  openNetwork(toxiproxy, direct.storage, direct.postgres, profile)

describe('a network', () => {
  it('leaves everything as it is on loopback, and needs no proxy for that', async () => {
    await using network = await openNetwork(null, direct.storage, direct.postgres, 'loopback')
    expect(network).toMatchObject({ ...direct, latencies: null, calibration: { s3: null, postgres: null } })
    await expect(network.fault('s3', 'down')).rejects.toMatchObject({ code: 'USAGE' })
  })

  it('lets no answer through before its latency is over, and tells what a request takes', async () => {
    await using network = await open('same-region')
    const { s3, postgres } = PROFILE_LATENCIES['same-region'] ?? NO_LATENCY
    expect(network).toMatchObject({ profile: 'same-region', latencies: { s3, postgres } })
    expect(network.calibration.s3?.proxiedMs).toBeGreaterThanOrEqual(s3.latencyMs - s3.jitterMs)
    expect(network.calibration.postgres?.proxiedMs).toBeGreaterThanOrEqual(postgres.latencyMs)
  })

  it('tells what the proxy costs by itself apart from what it adds', async () => {
    await using network = await open(latencies(200))
    const calibration = network.calibration.s3
    expect(network.profile).toBe('custom')
    expect(calibration?.proxiedMs).toBeGreaterThanOrEqual(200)
    expect(calibration?.addedMs).toBeGreaterThan(100)
    expect(calibration?.undelayedMs).toBeLessThan(100)
    expect(calibration?.proxyCostMs).toBeLessThan(100)
  })

  it('has S3 at another address and asks for its metrics at the old one', async () => {
    await using network = await open(NO_LATENCY)
    const endpoint = endpointOf(network.storage)
    expect(endpoint.url).not.toBe(direct.storage.endpoint.url)
    expect({ ...endpoint, url: direct.storage.endpoint.url }).toEqual(direct.storage.endpoint)
    expect(network.postgres.port).not.toBe(direct.postgres.port)
  })

  it('has only a way to Postgres where the tables lie in a local folder', async () => {
    const storage = { kind: 'local', root: '/nowhere' } as const
    await using network = await openNetwork(toxiproxy, storage, direct.postgres, NO_LATENCY)
    expect(network.storage).toEqual(storage)
    expect(network.calibration.s3).toBeNull()
    await expect(network.fault('s3', 'down')).rejects.toMatchObject({ code: 'USAGE' })
    await (await network.fault('postgres', 'down'))()
  })

  it.each([
    ['a certificate', { ...direct.storage.endpoint, url: 'https://s3.example.com' }, 'its certificate'],
    ['buckets in host names', { ...direct.storage.endpoint, urlStyle: 'vhost' as const }, 'by host name'],
  ])('refuses an object store with %s, which no proxy can stand before', async (_, endpoint, reason) => {
    const storage = { ...direct.storage, endpoint }
    const opening = openNetwork(toxiproxy, storage, direct.postgres, 'same-region')
    await expect(opening).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(reason) })
  })

  it('refuses a Postgres whose certificate is checked', async () => {
    const postgres = { ...direct.postgres, sslmode: 'verify-full' as const }
    const opening = openNetwork(toxiproxy, direct.storage, postgres, 'same-region')
    await expect(opening).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('certificate'),
    })
  })

  it('shares a Toxiproxy with others, and frees its ports when it is disposed of', async () => {
    await using other = await open(NO_LATENCY)
    const network = await open(NO_LATENCY)
    await network[Symbol.asyncDispose]()
    const ask = (postgres: typeof network.postgres) =>
      withPostgres(postgres, async (client) => (await client.query('SELECT 1 AS one')).rows)
    await expect(ask(network.postgres)).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' })
    expect(await ask(other.postgres)).toEqual([{ one: 1 }])
  })
})

describe('a configured Toxiproxy', () => {
  const configured = async (apiUrl: string) => loadConfig({ env: { LAKEDUEL_TOXIPROXY: `${apiUrl}/` } })

  it('is used, and goes on afterwards', async () => {
    const config = await configured(toxiproxy.apiUrl)
    for (const storage of [direct.storage, { kind: 'local', root: '/nowhere' } as const]) {
      await using used = await openToxiproxy(config)
      expect(used).toMatchObject({ apiUrl: toxiproxy.apiUrl, origin: 'configured' })
      await using network = await openNetwork(used, storage, direct.postgres, NO_LATENCY)
      await network.check()
    }
  })

  it('that does not answer is an error that names its address', async () => {
    const opening = openToxiproxy(await configured('http://127.0.0.1:1'))
    await expect(opening).rejects.toMatchObject({
      code: 'PROXY_GONE',
      message: expect.stringContaining('http://127.0.0.1:1,'),
    })
  })
})

describe('a proxy that dies while it is in use', () => {
  it('is named by whatever asks for it, and leaves nothing that cannot be disposed of', async ({ skip }) => {
    await using own = await openTestToxiproxy()
    if (own.origin !== 'local') skip('only a Toxiproxy that runs as a process of ours can be killed')
    const network = await openNetwork(own, direct.storage, direct.postgres, NO_LATENCY)
    const heal = await network.fault('s3', '503')
    await network.check()
    await kill(own)
    const gone = {
      code: 'PROXY_GONE',
      message: expect.stringMatching(`Toxiproxy at ${own.apiUrl}.*does not answer`),
    }
    await expect(network.check()).rejects.toMatchObject(gone)
    await expect(network.fault('s3', 'down')).rejects.toMatchObject(gone)
    await expect(heal()).rejects.toMatchObject(gone)
    await network[Symbol.asyncDispose]()
    await expect(openNetwork(own, direct.storage, direct.postgres, 'same-region')).rejects.toMatchObject(gone)
  })
})

async function kill({ apiUrl }: Toxiproxy): Promise<void> {
  const { port } = new URL(apiUrl)
  const processes = await runningProcesses()
  const toxiproxies = processes.filter(({ command }) => command.includes(`-port ${port} `))
  expect(toxiproxies).toHaveLength(1)
  for (const { pid } of toxiproxies) process.kill(pid, 'SIGKILL')
}
