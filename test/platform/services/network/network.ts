import { inject } from 'vitest'
import { loadConfig } from '../../../../platform/config/load.ts'
import type { Storage } from '../../../../platform/endpoints.ts'
import { openToxiproxy, type Toxiproxy } from '../../../../platform/services/network/network.ts'

const { s3, bucket, prefix, postgres } = inject('services')

/** The way that this test run's servers are reached without a network. */
export const direct: { readonly storage: Storage & { kind: 's3' }; readonly postgres: typeof postgres } = {
  storage: { kind: 's3', endpoint: s3, bucket, prefix },
  postgres,
}

/** One of the test file's own, so that it may be killed. */
export async function openTestToxiproxy(): Promise<Toxiproxy> {
  return openToxiproxy(await loadConfig())
}

/** The endpoint of a storage that isn't a local folder. */
export function endpointOf(storage: Storage): (Storage & { kind: 's3' })['endpoint'] {
  if (storage.kind !== 's3') throw new Error('the storage is no S3 storage')
  return storage.endpoint
}
