import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Arm } from '../../../backends/backend.ts'
import type { Storage } from '../../../platform/endpoints.ts'
import { createBucket } from '../../../platform/services/s3/bucket.ts'
import { s3Client } from '../../../platform/services/s3/client.ts'
import { probeS3 } from '../../../platform/services/s3/probe.ts'
import { openS3Meter } from '../../../scenarios/measure/s3-requests.ts'
import { runS3Script, S3_SCRIPT } from '../../../scenarios/self-test/s3-script.ts'
import { TestLake } from '../../backends/contract/lake.ts'
import { optional, required } from '../../backends/contract/rows.ts'
import { unavailable } from '../../backends/contract.ts'
import { type AuditedMinio, startAuditedMinio } from './audit-log.ts'

const services = inject('services')
const bucket = 'audited'
let minio: AuditedMinio
let storage: Storage & { kind: 's3' }

beforeAll(async () => {
  minio = await startAuditedMinio()
  const client = s3Client(minio.server)
  await createBucket(client, minio.server, bucket)
  const endpoint = await probeS3(client, minio.server, { bucket, prefix: '' })
  client.destroy()
  storage = { kind: 's3', endpoint, bucket, prefix: '' }
})
afterAll(() => minio[Symbol.asyncDispose]())

/** What both meters and the server's own log say of the same requests, which go through the proxy that counts. */
async function countThrice(work: (storage: Storage) => Promise<void>) {
  await using metrics = await openS3Meter(storage)
  await using proxy = await openS3Meter({ ...storage, endpoint: { ...storage.endpoint, metricsUrl: null } })
  expect([metrics.source, proxy.source]).toEqual(['server-metrics', 'counting-proxy'])
  await minio.forget()
  const stops = [await metrics.start(), await proxy.start()]
  await work(proxy.storage)
  const usages = await Promise.all(stops.map((stop) => stop()))
  const [byMetrics, byProxy] = usages.map((usage) => (usage.status === 'measured' ? usage.byOperation : null))
  const requests = Math.max(...usages.map((usage) => (usage.status === 'measured' ? usage.requests : 0)))
  return { byMetrics, byProxy, logged: await minio.requestsTo(bucket, requests) }
}

async function runScript(used: Storage): Promise<void> {
  if (used.kind !== 's3') throw new Error('the storage is no S3 storage')
  const client = s3Client(used.endpoint)
  await runS3Script(client, bucket, 'script')
  client.destroy()
}

/** Appends and merges, as a cell does. */
async function merge(arm: Arm, used: Storage): Promise<void> {
  if (used.kind !== 's3') throw new Error('the storage is no S3 storage')
  await using lake = await TestLake.create(arm, 's3', { ...services, s3: used.endpoint, bucket, prefix: '' })
  const columns = [required('id', 'int32'), optional('note', 'string')]
  const table = await lake.createTable({ columns, primaryKey: ['id'] })
  await table.append([1, 2, 3].map((id) => ({ id, note: 'first' })))
  await table.upsert([2, 3, 4].map((id) => ({ id, note: 'second' })))
}

test('the counts of a known script are those of the server’s own audit log', async () => {
  const { byMetrics, byProxy, logged } = await countThrice(runScript)
  expect(logged).toEqual(S3_SCRIPT.byOperation)
  expect(byMetrics).toEqual(logged)
  expect(byProxy).toEqual(logged)
})

test.for(['ducklake/merge', 'delta/merge'] as const)(
  'the counts of all that %s does are those of the server’s own audit log',
  async (arm, { skip }) => {
    const reason = unavailable(arm)
    if (reason !== null) skip(reason)
    const { byMetrics, byProxy, logged } = await countThrice((used) => merge(arm, used))
    expect(Object.keys(logged)).toContain('PutObject')
    expect(byMetrics).toEqual(logged)
    expect(byProxy).toEqual(logged)
  },
)
