import { afterAll, beforeAll, inject, it } from 'vitest'
import type { Arm } from '../../../../backends/backend.ts'
import {
  latencies,
  type Network,
  openNetwork,
  type Toxiproxy,
} from '../../../../platform/services/network/network.ts'
import { TestLake } from '../../../backends/contract/lake.ts'
import { optional, required } from '../../../backends/contract/rows.ts'
import { unavailable } from '../../../backends/contract.ts'
import { direct, endpointOf, openTestToxiproxy } from './network.ts'

const services = inject('services')
let toxiproxy: Toxiproxy
let network: Network
beforeAll(async () => {
  toxiproxy = await openTestToxiproxy()
  network = await openNetwork(toxiproxy, direct.storage, direct.postgres, latencies(5, 1))
})
afterAll(async () => {
  await network[Symbol.asyncDispose]()
  await toxiproxy[Symbol.asyncDispose]()
})

/** DuckDB's httpfs and Postgres clients, delta-rs's object_store, and what deltalite makes of it: all sign the host that they call. */
const ARMS: readonly Arm[] = ['ducklake/merge', 'delta/merge', 'delta/deltalite']

it.for(ARMS)('%s merges through the network, and its table is right', async (arm, { skip }) => {
  const reason = unavailable(arm)
  if (reason !== null) skip(reason)
  const proxied = { ...services, s3: endpointOf(network.storage), postgres: network.postgres }
  await using lake = await TestLake.create(arm, 's3', proxied)
  const table = await lake.createTable({
    columns: [required('id', 'int32'), optional('note', 'string')],
    primaryKey: ['id'],
  })
  await table.append([1, 2, 3].map((id) => ({ id, note: 'first' })))
  await table.upsert([2, 3, 4].map((id) => ({ id, note: 'second' })))
  await table.expectStored()
})
