/**
 * The process that holds the services of one run. It is apart from the run, so that a Ctrl-C in the terminal doesn't
 * reach the servers before the run has cleaned up, and so that they end when the run is killed: its channel closes then.
 * `lakeduel services up` starts one that stays.
 */
import { once } from 'node:events'
import { withDiskFullError } from '../disk.ts'
import { LakeduelError, messageOf } from '../errors.ts'
import { identifyProcess } from '../process-identity.ts'
import { Teardown } from '../teardown.ts'
import { forgetHeldServices, writeHeldServices } from './held.ts'
import { createRunFolder, removeRunFolder, runFolder } from './run-folders.ts'
import {
  type KeeperReply,
  type KeeperRequest,
  type KeptServers,
  keeperRequestSchema,
} from './server-schemas.ts'
import type { Started } from './started.ts'

const stopping = new AbortController()
let isReady = false

await keep()

async function keep(): Promise<void> {
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => stopping.abort())
  const [message] = await once(process, 'message')
  const request = keeperRequestSchema.parse(message)
  process.on('disconnect', () => {
    if (!request.hold || !isReady) stopping.abort()
  })
  await using teardown = new Teardown()
  try {
    const servers = await withDiskFullError(request.home, () => startAll(request, teardown))
    if (request.hold) await hold(request, servers, teardown)
    isReady = true
    reply({ status: 'ready', servers })
    await untilStopped()
  } catch (error) {
    reply(failure(error))
  }
  if (process.connected) process.disconnect()
}

async function startAll(request: KeeperRequest, teardown: Teardown): Promise<KeptServers> {
  const runDir = await createRunFolder(request.home, request.name)
  teardown.defer(() => removeRunFolder(runDir))
  const [s3, postgres, toxiproxy] = await Promise.allSettled([
    startS3(request, runDir),
    startPostgres(request, runDir),
    startToxiproxy(request, runDir),
  ])
  for (const started of [s3, postgres, toxiproxy]) {
    if (started.status === 'fulfilled' && started.value !== null) teardown.defer(started.value.stop)
  }
  return { s3: serverOf(s3), postgres: serverOf(postgres), toxiproxy: serverOf(toxiproxy) }
}

/** Written here, so that a held keeper can always be found and ended, whatever becomes of the command that started it. */
async function hold(
  { home, name }: KeeperRequest,
  { s3, postgres }: KeptServers,
  teardown: Teardown,
): Promise<void> {
  const keeper = await identifyProcess(process.pid)
  if (keeper === null)
    throw new LakeduelError('SETUP_FAILED', 'This process cannot find itself in the list of processes.')
  teardown.defer(() => forgetHeldServices(home))
  await writeHeldServices(home, { keeper, runDir: runFolder(home, name), servers: { s3, postgres } })
}

function serverOf<T>(settled: PromiseSettledResult<Started<T> | null>): T | null {
  if (settled.status === 'rejected') throw settled.reason
  return settled.value?.server ?? null
}

async function startS3({ s3, docker }: KeeperRequest, runDir: string) {
  if (s3 === null) return null
  reply({ status: 'progress', text: docker ? 'starting MinIO in Docker' : 'starting MinIO' })
  if (docker) return (await import('./s3/docker.ts')).startDockerMinio(s3.port)
  const { startLocalMinio } = await import('./s3/local.ts')
  if (s3.minio === null) throw new LakeduelError('TOOL_MISSING', 'There is no MinIO binary to start.')
  return startLocalMinio({ binary: s3.minio, runDir, port: s3.port, signal: stopping.signal })
}

async function startPostgres({ postgres, docker }: KeeperRequest, runDir: string) {
  if (postgres === null) return null
  reply({ status: 'progress', text: docker ? 'starting Postgres in Docker' : 'starting Postgres' })
  if (docker) return (await import('./postgres/docker.ts')).startDockerPostgres(postgres.port)
  const { startLocalPostgres } = await import('./postgres/local.ts')
  return startLocalPostgres({ runDir, port: postgres.port, signal: stopping.signal })
}

async function startToxiproxy({ toxiproxy }: KeeperRequest, runDir: string) {
  if (toxiproxy === null) return null
  if (toxiproxy.binary === null) return (await import('./network/docker.ts')).startDockerToxiproxy()
  const { startLocalToxiproxy } = await import('./network/local.ts')
  return startLocalToxiproxy({ binary: toxiproxy.binary, runDir, signal: stopping.signal })
}

function reply(message: KeeperReply): void {
  // The run that asked may be gone.
  if (process.connected) process.send?.(message)
}

function failure(error: unknown): KeeperReply {
  const { code, facts, remedy } =
    error instanceof LakeduelError ? error : new LakeduelError('SETUP_FAILED', '')
  return {
    status: 'failed',
    code,
    message: messageOf(error),
    facts,
    ...(remedy === undefined ? {} : { remedy }),
  }
}

async function untilStopped(): Promise<void> {
  // Neither a signal's listener nor a closed channel keeps a process alive, as a held keeper must be.
  const alive = setInterval(() => undefined, 2 ** 30)
  if (!stopping.signal.aborted) await once(stopping.signal, 'abort')
  clearInterval(alive)
}
