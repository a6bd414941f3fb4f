import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import type { Storage } from '../../platform/endpoints.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { s3Client } from '../../platform/services/s3/client.ts'
import { serve } from '../processes/serve.ts'
import { runS3Script } from './s3-script.ts'
import { type Work, type WorkDone, type WorkerRequest, workerRequestSchema } from './works.ts'

/** The process that does known work in a pod, each time that it is told to go. It is connected before it says `ready`. */
export function serveKnownWork(): Promise<void> {
  return serve(workerRequestSchema, (request, channel) =>
    withPostgres(request.postgres, async (postgres) => {
      await channel.emit({
        event: 'ready',
        processes: { worker: process.pid },
        settings: {},
        versions: {},
      })
      for (const work of request.works) {
        await channel.waitFor('go')
        await channel.emit(await timed(() => carryOut(work, request, postgres)))
      }
      await channel.waitFor('exit')
    }),
  )
}

async function timed(work: () => Promise<void>): Promise<WorkDone> {
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(cpuBefore)
  return { event: 'done', wallMs: performance.now() - startedAt, cpuSeconds: (user + system) / 1e6 }
}

async function carryOut(work: Work, { storage, scratchDir }: WorkerRequest, postgres: Client): Promise<void> {
  switch (work.kind) {
    case 'wait':
      await sleep(work.ms)
      return
    case 'touch':
      return touch(work.bytes, work.holdMs)
    case 'burn':
      burn(work.cpuSeconds)
      return
    case 'spill':
      return spill(join(scratchDir, 'known.spill'), work.bytes, work.holdMs)
    case 's3':
      return callS3(storage)
    case 'postgres':
      return callPostgres(postgres, work.calls)
  }
}

async function touch(bytes: number, holdMs: number): Promise<void> {
  const memory = new ArrayBuffer(bytes)
  new Uint8Array(memory).fill(1)
  await sleep(holdMs)
  // Given back at once, and not when it is collected.
  memory.transfer(0)
}

function burn(cpuSeconds: number): void {
  const before = process.cpuUsage()
  const used = () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  }
  while (used() < cpuSeconds) for (let i = 0; i < 1e6; i++);
}

async function spill(file: string, bytes: number, holdMs: number): Promise<void> {
  await writeFile(file, Buffer.alloc(bytes, 1))
  await sleep(holdMs)
  await rm(file)
}

/** A local folder takes no requests, and there is no instrument that would count any. */
async function callS3(storage: Storage): Promise<void> {
  if (storage.kind === 'local') return
  const client = s3Client(storage.endpoint)
  try {
    await runS3Script(client, storage.bucket, `${storage.prefix}self-test`)
  } finally {
    client.destroy()
  }
}

async function callPostgres(postgres: Client, calls: number): Promise<void> {
  await postgres.query('BEGIN')
  for (let i = 2; i < calls; i++) await postgres.query('SELECT 1')
  await postgres.query('COMMIT')
}
