import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { choosePort, LOOPBACK } from '../ports.ts'
import { startServer } from '../server-process.ts'
import type { ToxiproxyServer } from '../server-schemas.ts'
import type { Started } from '../started.ts'
import { ToxiproxyApi } from './api.ts'

export interface LocalToxiproxyOptions {
  readonly binary: string
  readonly runDir: string
  readonly signal: AbortSignal
}

/** A Toxiproxy of our own on loopback, which has no proxies yet. */
export async function startLocalToxiproxy({
  binary,
  runDir,
  signal,
}: LocalToxiproxyOptions): Promise<Started<ToxiproxyServer>> {
  const port = await choosePort(null, 'Toxiproxy')
  const apiUrl = `http://${LOOPBACK}:${port}`
  // A file below `runDir` on its command line marks the process as one of this run.
  const proxies = join(runDir, 'toxiproxy.json')
  await writeFile(proxies, '[]')
  const server = await startServer({
    program: binary,
    args: ['-host', LOOPBACK, '-port', String(port), '-config', proxies],
    env: { LOG_LEVEL: 'error' },
    logFile: join(runDir, 'toxiproxy.log'),
    isReady: () => new ToxiproxyApi(apiUrl).answers(),
    readyTimeoutMs: 10_000,
    stopSignal: 'SIGTERM',
    signal,
  })
  return {
    server: { apiUrl, origin: 'local', version: await toxiproxyVersion(binary) },
    stop: server.stop,
  }
}

/** What the binary tells; one that `go install` built doesn't know its version, so set-up puts it into the name. */
export async function toxiproxyVersion(binary: string): Promise<string> {
  const { stdout } = await execa(binary, ['-version'], { reject: false })
  const told = /version (\S+)/.exec(stdout ?? '')?.[1] ?? 'of unknown version'
  return `Toxiproxy ${told === 'git' ? (/toxiproxy-v(\S+)$/.exec(binary)?.[1] ?? told) : told}`
}
