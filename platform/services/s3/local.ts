import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { choosePort, LOOPBACK } from '../ports.ts'
import { startServer } from '../server-process.ts'
import type { S3Server } from '../server-schemas.ts'
import type { Started } from '../started.ts'

export interface LocalMinioOptions {
  readonly binary: string
  readonly runDir: string
  readonly port: number | null
  readonly signal: AbortSignal
}

/** A MinIO server of our own, on loopback, with its data below `runDir` and new random keys that only its environment holds. */
export async function startLocalMinio(options: LocalMinioOptions): Promise<Started<S3Server>> {
  const { binary, runDir, signal } = options
  const port = await choosePort(options.port, 'MinIO')
  const [accessKeyId, secretAccessKey] = [randomBytes(10).toString('hex'), randomBytes(20).toString('hex')]
  const url = `http://${LOOPBACK}:${port}`
  const data = join(runDir, 'minio')
  await mkdir(data)
  const server = await startServer({
    program: binary,
    // Without --certs-dir it would make ~/.minio.
    args: [
      'server',
      data,
      '--address',
      `${LOOPBACK}:${port}`,
      '--certs-dir',
      join(runDir, 'minio-certs'),
      '--quiet',
    ],
    // It wants a home folder, and would look for that of the user.
    env: { ...minioEnvironment(accessKeyId, secretAccessKey), HOME: runDir },
    logFile: join(runDir, 'minio.log'),
    isReady: () => answers(`${url}/minio/health/ready`),
    readyTimeoutMs: 30_000,
    stopSignal: 'SIGTERM',
    signal,
  })
  const version = await minioVersion(binary)
  return {
    server: {
      url,
      region: 'us-east-1',
      accessKeyId,
      secretAccessKey,
      urlStyle: 'path',
      origin: 'local',
      version,
    },
    stop: server.stop,
  }
}

export function minioEnvironment(accessKeyId: string, secretAccessKey: string): Record<string, string> {
  return {
    MINIO_ROOT_USER: accessKeyId,
    MINIO_ROOT_PASSWORD: secretAccessKey,
    // So that requests and bytes can be read per cell without a token.
    MINIO_PROMETHEUS_AUTH_TYPE: 'public',
    MINIO_BROWSER: 'off',
    MINIO_UPDATE: 'off',
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** What the binary tells; one that `go install` built doesn't know its version, so set-up puts it into the name. */
export async function minioVersion(binary: string): Promise<string> {
  const { stdout } = await execa(binary, ['--version'], { reject: false })
  const told = /version (\S+)/.exec(stdout)?.[1] ?? 'of unknown version'
  return `MinIO ${told === 'DEVELOPMENT.GOGET' ? (moduleVersionOf(binary) ?? told) : told}`
}

function moduleVersionOf(binary: string): string | undefined {
  return /minio-(v\S+)$/.exec(binary)?.[1]
}
