import { randomUUID } from 'node:crypto'
import type { TestProject } from 'vitest/node'
import { loadConfig } from '../platform/config/load.ts'
import { startServices } from '../platform/services/services.ts'
import { ensureSetup } from '../platform/setup/setup.ts'

/**
 * Sets up what the tests need, and starts the services once for all test processes: the configured ones, else Docker's,
 * else local ones. The returned function stops them after the last test.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const config = await loadConfig({ flags: { storage: 's3' } })
  const { duckdbExtensions, sidecar } = await ensureSetup(config.home, {
    minio: false,
    engines: config.engines,
  })
  const services = await startServices(config, { runId: `test-${randomUUID().slice(0, 8)}` })
  if (services.storage.kind !== 's3') throw new Error('the tests need an object store')
  const { endpoint, bucket, prefix } = services.storage
  project.provide('services', {
    s3: endpoint,
    bucket,
    prefix,
    postgres: services.postgres,
    duckdbExtensions,
    sidecar: { python: sidecar.python, unavailable: sidecar.unavailable },
  })
  return async () => {
    await services[Symbol.asyncDispose]()
  }
}
