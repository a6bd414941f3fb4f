import { access, constants, readdir, stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { errorCode } from '../../platform/disk.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { choosePort, LOOPBACK } from '../../platform/services/ports.ts'
import { renderRuns } from '../../reports/html/runs.ts'
import { livePage, versionOf } from './live-results.ts'
import { RunsIndex } from './runs-index.ts'

const POLL_MS = 500

export interface ServeOptions {
  /** Null for any that is free. */
  readonly port: number | null
  readonly signal: AbortSignal
  readonly onListening: (url: string) => void
}

/**
 * Shows the results at a path in a browser on this machine, and again whenever they change, until the signal aborts: the page of
 * a run, or the list of the runs in a folder with theirs. Nothing else is served, whatever path is asked for.
 * @throws LakeduelError `RESULTS_CORRUPT` when there is nothing at the path, or it can't be read, `PORT_IN_USE`
 */
export async function serveReport(path: string, { port, signal, onListening }: ServeOptions): Promise<void> {
  await assertReadable(path)
  const chosen = await choosePort(port, 'report')
  const shown: Shown = { path, index: new RunsIndex(path), followers: new Followers() }
  const app = pageServer(shown, chosen)
  await app.listen({ host: LOOPBACK, port: chosen })
  try {
    onListening(`http://${LOOPBACK}:${chosen}/`)
    await watch(shown, signal)
  } finally {
    shown.followers.end()
    await app.close()
  }
}

/** Of a folder, each entry is looked at, so that it must be one that can be listed. */
async function assertReadable(path: string): Promise<void> {
  const look = async () =>
    (await stat(path)).isDirectory() ? await readdir(path) : await access(path, constants.R_OK)
  await look().catch((cause: unknown) => {
    const missing = errorCode(cause) === 'ENOENT'
    throw new LakeduelError(
      'RESULTS_CORRUPT',
      missing ? `There is nothing at ${path}.` : `${path} can't be read: ${messageOf(cause)}`,
      {
        facts: { path },
        remedy: missing
          ? 'Give the folder of a run, which is there as soon as the run has begun, or one that holds several.'
          : 'Give a folder that you may read.',
        cause,
      },
    )
  })
}

/** What is shown: the run at the path itself, or else those in the folders below it. */
interface Shown {
  readonly path: string
  readonly index: RunsIndex
  readonly followers: Followers
}

function pageServer({ path, index, followers }: Shown, port: number): FastifyInstance {
  const app = fastify({ forceCloseConnections: true })
  const ownHosts = new Set([`${LOOPBACK}:${port}`, `localhost:${port}`])
  // A page elsewhere whose name resolves to this machine would read the results otherwise.
  app.addHook('onRequest', async (request, reply) => {
    if (!ownHosts.has(request.headers.host ?? '')) await reply.code(403).send('Ask for 127.0.0.1 itself.\n')
  })
  app.get('/', async (_, reply) => {
    const isRun = (await versionOf(path)) !== ''
    const page = isRun ? await livePage(path, false) : renderRuns(path, index.listed, index.version)
    return html(reply, page)
  })
  app.get<{ Params: Named }>('/runs/:name', async ({ params }, reply) => {
    const run = index.pathOf(params.name)
    return run === null ? reply.callNotFound() : html(reply, await livePage(run, true))
  })
  app.get('/events/', (_, reply) => followers.add(reply, null))
  app.get<{ Params: Named }>('/events/runs/:name', ({ params }, reply) => followers.add(reply, params.name))
  return app
}

interface Named {
  readonly name: string
}

function html(reply: FastifyReply, page: string): FastifyReply {
  return reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(page)
}

/** Tells the pages that are open of each change. */
async function watch(shown: Shown, signal: AbortSignal): Promise<void> {
  const { path, index, followers } = shown
  while (!signal.aborted) {
    if ((await versionOf(path)) === '') await index.refresh().catch(() => undefined)
    await followers.tell((name) => currentVersion(shown, name))
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function currentVersion({ path, index }: Shown, name: string | null): Promise<string> {
  if (name !== null) {
    const run = index.pathOf(name)
    return run === null ? '' : await versionOf(run)
  }
  const version = await versionOf(path)
  return version === '' ? index.version : version
}

/** Pages that are open, each of which listens to server-sent events about what it shows, or about the first page. */
class Followers {
  readonly #pages = new Map<ServerResponse, { readonly name: string | null; told: string | null }>()

  add(reply: FastifyReply, name: string | null): void {
    reply.hijack()
    const response = reply.raw
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
    this.#pages.set(response, { name, told: null })
    response.on('close', () => this.#pages.delete(response))
  }

  async tell(versionOfPage: (name: string | null) => Promise<string>): Promise<void> {
    for (const [response, page] of this.#pages) {
      const version = await versionOfPage(page.name)
      if (version !== page.told) response.write(`data: ${version}\n\n`)
      page.told = version
    }
  }

  end(): void {
    for (const response of this.#pages.keys()) response.end()
  }
}
