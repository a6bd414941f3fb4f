import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Network,
  NO_LATENCY,
  openNetwork,
  type Toxiproxy,
} from '../../../platform/services/network/network.ts'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { Teardown } from '../../../platform/teardown.ts'
import { networkMetrics, networkOfCell } from '../../../scenarios/runner/cell-network.ts'
import { direct, openTestToxiproxy } from '../../platform/services/network/network.ts'

let toxiproxy: Toxiproxy
let network: Network
beforeAll(async () => {
  toxiproxy = await openTestToxiproxy()
  network = await openNetwork(toxiproxy, direct.storage, direct.postgres, NO_LATENCY)
})
afterAll(async () => {
  await network[Symbol.asyncDispose]()
  await toxiproxy[Symbol.asyncDispose]()
})

function reachesPostgres(): Promise<boolean> {
  return withPostgres(network.postgres, (client) => client.query('SELECT 1')).then(
    () => true,
    () => false,
  )
}

test('the faults of a cell end with it, and the way stays open for the next', async () => {
  {
    await using teardown = new Teardown()
    await using ofCell = networkOfCell(network, teardown)
    await ofCell.fault('postgres', 'down')
    expect(await reachesPostgres()).toBe(false)
  }
  expect(await reachesPostgres()).toBe(true)
})

test('what the way costs is recorded, and nothing where there is no proxy', async () => {
  expect(networkMetrics(network)['network.s3ProxyCostMs']).toMatchObject({ unit: 'ms', better: 'neither' })
  await using loopback = await openNetwork(null, direct.storage, direct.postgres, 'loopback')
  expect(networkMetrics(loopback)).toEqual({})
})

test('a proxy that is gone does not hide why a cell ended', async () => {
  const dying = await openTestToxiproxy()
  const own = await openNetwork(dying, direct.storage, direct.postgres, NO_LATENCY)
  const teardown = new Teardown()
  await networkOfCell(own, teardown).fault('s3', 'stall')
  await dying[Symbol.asyncDispose]()
  await expect(teardown[Symbol.asyncDispose]()).resolves.toBeUndefined()
  await expect(own.check()).rejects.toMatchObject({ code: 'PROXY_GONE' })
})
