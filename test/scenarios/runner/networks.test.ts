import { expect, inject, test } from 'vitest'
import { loadConfig } from '../../../platform/config/load.ts'
import type { Storage } from '../../../platform/endpoints.ts'
import { openToxiproxy } from '../../../platform/services/network/network.ts'
import { runSchema } from '../../../reports/schema/run.ts'
import { Networks } from '../../../scenarios/runner/networks.ts'

const { s3, bucket, prefix, postgres } = inject('services')
const storage: Storage = { kind: 's3', endpoint: s3, bucket, prefix }

test('what the network of a run adds, and what its proxy costs, is recorded as results have it', async () => {
  const proxy = async () => openToxiproxy(await loadConfig())
  await using networks = new Networks(proxy, storage, postgres, 'same-region')
  const recorded = await networks.recorded()
  expect(runSchema.shape.network.parse(recorded)).toEqual(recorded)
  expect(recorded).toMatchObject({
    profile: 'same-region',
    s3: { latencyMs: 15, jitterMs: 5, calibration: { samples: 25 } },
    postgres: { latencyMs: 1, jitterMs: 0, calibration: { samples: 25 } },
  })
  await networks.check()
})

test('a run on loopback starts no proxy', async () => {
  const proxy = () => Promise.reject(new Error('a proxy was started'))
  await using networks = new Networks(proxy, storage, postgres, 'loopback')
  expect(await networks.recorded()).toBeNull()
  await networks.check()
})
