import { expect, inject, test } from 'vitest'
import { createPod } from '../../../platform/pods/mechanism.ts'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { readyEventSchema } from '../../../scenarios/processes/protocol.ts'
import { Child } from '../../../scenarios/runner/child.ts'
import { type WorkerRequest, workDoneSchema } from '../../../scenarios/self-test/works.ts'

const { s3, bucket, prefix, postgres } = inject('services')
const WAIT_MS = 700
/** Clocks of the same machine, one of which may be slewed meanwhile; and timers fire up to a millisecond early. */
const CLOCK_ERROR_MS = 2

test('the wall time that a child tells lies between what it waited and what the clock of Postgres shows', async () => {
  await using pod = await createPod({ name: 'wall', memoryCapBytes: null })
  const request: WorkerRequest = {
    works: [{ kind: 'wait', ms: WAIT_MS }],
    storage: { kind: 's3', endpoint: s3, bucket, prefix },
    postgres,
    scratchDir: '/nowhere',
  }
  await using child = new Child(
    pod,
    new URL('../../../cli/processes/known-work.ts', import.meta.url),
    request,
  )
  const waiting = { deadlineMs: 60_000, signal: new AbortController().signal }
  await child.event(readyEventSchema, waiting)
  const { wallMs, outsideMs } = await withPostgres(postgres, async (client) => {
    const now = async () =>
      Number((await client.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms')).rows[0]?.ms)
    const startedAt = await now()
    child.tell('go')
    const done = await child.event(workDoneSchema, waiting)
    return { wallMs: done.wallMs, outsideMs: (await now()) - startedAt }
  })
  await child.exit()
  expect(wallMs).toBeGreaterThanOrEqual(WAIT_MS - CLOCK_ERROR_MS)
  expect(wallMs).toBeLessThanOrEqual(outsideMs + CLOCK_ERROR_MS)
})
