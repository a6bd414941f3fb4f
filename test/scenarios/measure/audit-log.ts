import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import getPort from 'get-port'
import { z } from 'zod'
import { lakeduelHome } from '../../../platform/home.ts'
import { minioEnvironment } from '../../../platform/services/s3/local.ts'
import { startServer } from '../../../platform/services/server-process.ts'
import type { S3Server } from '../../../platform/services/server-schemas.ts'
import { ensureMinio } from '../../../platform/setup/setup.ts'
import { Teardown } from '../../../platform/teardown.ts'

const entrySchema = z.object({ api: z.object({ name: z.string(), bucket: z.string().optional() }) })

/** A MinIO that tells each request to us once it has answered it: an account of them that owes nothing to its metrics. */
export interface AuditedMinio extends AsyncDisposable {
  readonly server: S3Server
  /** The requests to a bucket by operation, once so many have been told, and all that came soon after. */
  requestsTo(bucket: string, expected: number): Promise<Readonly<Record<string, number>>>
  /** Forgets all requests up to now. */
  forget(): Promise<void>
}

const PATIENCE_MS = 10_000
/** Within this it tells what it has answered, on an idle machine in a few milliseconds. */
const SOON_MS = 500

export async function startAuditedMinio(): Promise<AuditedMinio> {
  const teardown = new Teardown()
  try {
    const log = await startLog(teardown)
    const server = await startMinio(log.url, teardown)
    return {
      server,
      requestsTo: (bucket, expected) => requestsTo(log.entries, bucket, expected),
      forget: async () => {
        await sleep(SOON_MS)
        log.entries.splice(0)
      },
      [Symbol.asyncDispose]: () => teardown[Symbol.asyncDispose](),
    }
  } catch (error) {
    await teardown[Symbol.asyncDispose]()
    throw error
  }
}

type Entry = z.infer<typeof entrySchema>

async function startLog(teardown: Teardown): Promise<{ url: string; entries: Entry[] }> {
  const entries: Entry[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      for (const line of body.split('\n').filter(Boolean)) entries.push(entrySchema.parse(JSON.parse(line)))
      response.end()
    })
  })
  const port = await getPort()
  await once(server.listen(port, '127.0.0.1'), 'listening')
  teardown.defer(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${port}`, entries }
}

async function startMinio(logUrl: string, teardown: Teardown): Promise<S3Server> {
  const runDir = await mkdtemp(join(tmpdir(), 'lakeduel-audit-'))
  teardown.defer(() => rm(runDir, { recursive: true, force: true, maxRetries: 5 }))
  const [accessKeyId, secretAccessKey] = [randomBytes(10).toString('hex'), randomBytes(20).toString('hex')]
  const port = await getPort()
  const url = `http://127.0.0.1:${port}`
  const { stop } = await startServer({
    program: await ensureMinio(lakeduelHome()),
    args: ['server', join(runDir, 'data'), '--address', `127.0.0.1:${port}`, '--quiet'],
    env: {
      ...minioEnvironment(accessKeyId, secretAccessKey),
      HOME: runDir,
      MINIO_AUDIT_WEBHOOK_ENABLE_test: 'on',
      MINIO_AUDIT_WEBHOOK_ENDPOINT_test: logUrl,
    },
    logFile: join(runDir, 'minio.log'),
    isReady: () =>
      fetch(`${url}/minio/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    readyTimeoutMs: 30_000,
    stopSignal: 'SIGTERM',
    signal: new AbortController().signal,
  })
  teardown.defer(stop)
  const access = { accessKeyId, secretAccessKey, urlStyle: 'path', origin: 'local' } as const
  return { url, region: 'us-east-1', ...access, version: null }
}

async function requestsTo(
  entries: readonly Entry[],
  bucket: string,
  expected: number,
): Promise<Readonly<Record<string, number>>> {
  const told = () => entries.filter(({ api }) => api.bucket === bucket)
  const deadline = performance.now() + PATIENCE_MS
  while (told().length < expected && performance.now() < deadline) await sleep(50)
  await sleep(SOON_MS)
  const byOperation: Record<string, number> = {}
  for (const { api } of told()) byOperation[api.name] = (byOperation[api.name] ?? 0) + 1
  return byOperation
}
