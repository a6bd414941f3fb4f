import { randomBytes } from 'node:crypto'
import type { Config } from '../../config/load.ts'
import { ensureToxiproxy } from '../../setup/setup.ts'
import { toxiproxyStep } from '../../setup/toxiproxy.ts'
import { dockerAnswers } from '../docker.ts'
import { startKeeper } from '../keeper-process.ts'
import { runFolder } from '../run-folders.ts'
import type { ToxiproxyServer } from '../server-schemas.ts'
import type { StartOptions } from '../servers.ts'
import { ToxiproxyApi, toxiproxyGone } from './api.ts'

/** A Toxiproxy that answers. Disposing of it ends one that was started here, and leaves a configured one. */
export interface Toxiproxy extends ToxiproxyServer, AsyncDisposable {}

/**
 * The configured Toxiproxy, else a new one: with a binary from PATH or of an earlier set-up, else in Docker where an
 * engine answers, else with a binary that is built now (20 s). It lives in a process of its own, and ends with this one.
 * @throws LakeduelError `PROXY_GONE` when a configured one doesn't answer, `TOOL_MISSING`, `SETUP_FAILED`
 */
export async function openToxiproxy(config: Config, options: StartOptions = {}): Promise<Toxiproxy> {
  return config.toxiproxy === null ? startOwn(config, options) : openConfigured(config.toxiproxy)
}

async function openConfigured(apiUrl: string): Promise<Toxiproxy> {
  if (!(await new ToxiproxyApi(apiUrl).answers())) throw toxiproxyGone(apiUrl)
  return {
    apiUrl,
    origin: 'configured',
    version: 'Toxiproxy',
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function startOwn(
  config: Config,
  { signal, report = () => undefined }: StartOptions,
): Promise<Toxiproxy> {
  const binary = await binaryToStart(config, signal)
  const name = `network-${randomBytes(4).toString('hex')}`
  const request = {
    home: config.home,
    name,
    docker: binary === null,
    s3: null,
    postgres: null,
    toxiproxy: { binary },
    hold: false,
  }
  report('starting Toxiproxy')
  const keeper = await startKeeper(request, runFolder(config.home, name), { signal, report })
  const { toxiproxy } = keeper.servers
  if (toxiproxy === null) throw new Error('The keeper was asked for Toxiproxy and answered without it')
  return { ...toxiproxy, [Symbol.asyncDispose]: keeper.stop }
}

/** Null where Docker is to run it. */
async function binaryToStart(
  { home, docker }: Config,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const found = await toxiproxyStep.find(home)
  if (found !== null) return found
  return docker === 'auto' && (await dockerAnswers()) ? null : ensureToxiproxy(home, signal)
}
