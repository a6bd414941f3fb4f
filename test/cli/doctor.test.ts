import { ListBucketsCommand } from '@aws-sdk/client-s3'
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { detectPodMechanism } from '../../platform/pods/mechanism.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { s3Client } from '../../platform/services/s3/client.ts'
import { lakeduel } from './lakeduel.ts'

const reportSchema = z.object({
  agree: z.boolean(),
  pod: z.object({ mechanism: z.string(), reason: z.string() }),
  readings: z.array(z.object({ instrument: z.string(), verdict: z.string(), reason: z.string().nullable() })),
  networks: z.object({ status: z.string() }),
})

test('doctor --instruments finds that they record what was done, says what is missing, and leaves nothing behind', async () => {
  const run = await lakeduel(['doctor', '--instruments', '--json'])
  const { agree, pod, readings, networks } = reportSchema.parse(JSON.parse(run.stdout))
  expect(run.exitCode).toBe(agree ? 0 : 1)
  // How long a timer takes to fire is up to whatever else runs on the machine.
  const others = readings.filter(({ instrument }) => instrument !== 'wall time')
  expect(others.filter(({ verdict }) => verdict === 'off')).toEqual([])
  expect(pod.mechanism).toBe((await detectPodMechanism()).mechanism)
  const ofCgroups = readings.filter(({ instrument }) => instrument.includes('cgroup'))
  for (const { verdict, reason } of ofCgroups) {
    expect(verdict).toBe(pod.mechanism === 'none' ? 'unavailable' : 'agrees')
    if (verdict === 'unavailable') expect(reason).toContain('not capped')
  }
  expect(ofCgroups).toHaveLength(2)
  expect(networks.status).toBe('measured')
  expect(await leftBehind()).toEqual([])
})

async function leftBehind(): Promise<readonly string[]> {
  const { s3, postgres } = inject('services')
  const client = s3Client(s3)
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}))
  client.destroy()
  const { rows } = await withPostgres(postgres, (connection) =>
    connection.query<{ name: string }>('SELECT datname AS name FROM pg_database'),
  )
  const names = [...Buckets.map(({ Name }) => Name ?? ''), ...rows.map(({ name }) => name)]
  return names.filter((name) => /self.test/.test(name))
}
