import { stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify, { type FastifyInstance } from 'fastify'
import { LakeduelError } from '../../platform/errors.ts'
import { choosePort, LOOPBACK } from '../../platform/services/ports.ts'
import { livePage, versionOf } from './live-results.ts'

const POLL_MS = 500

export interface ServeOptions {
  /** Null for any that is free. */
  readonly port: number | null
  readonly signal: AbortSignal
  readonly onListening: (url: string) => void
}

/**
 * Shows the results at a path in a browser on this machine, and again whenever they change, until the signal aborts. Only
 * the one page is served, whatever path is asked for.
 * @throws LakeduelError `RESULTS_CORRUPT` when there is nothing at the path, `PORT_IN_USE`
 */
export async function serveReport(path: string, { port, signal, onListening }: ServeOptions): Promise<void> {
  await stat(path).catch((cause: unknown) => {
    throw new LakeduelError('RESULTS_CORRUPT', `There is nothing at ${path}.`, {
      facts: { path },
      remedy: 'Give the folder of a run, which is there as soon as the run has begun.',
      cause,
    })
  })
  const chosen = await choosePort(port, 'report')
  const followers = new Followers()
  const app = pageServer(path, chosen, followers)
  await app.listen({ host: LOOPBACK, port: chosen })
  try {
    onListening(`http://${LOOPBACK}:${chosen}/`)
    await watch(path, followers, signal)
  } finally {
    followers.end()
    await app.close()
  }
}

function pageServer(path: string, port: number, followers: Followers): FastifyInstance {
  const app = fastify({ forceCloseConnections: true })
  const ownHosts = new Set([`${LOOPBACK}:${port}`, `localhost:${port}`])
  // A page elsewhere whose name resolves to this machine would read the results otherwise.
  app.addHook('onRequest', async (request, reply) => {
    if (!ownHosts.has(request.headers.host ?? '')) await reply.code(403).send('Ask for 127.0.0.1 itself.\n')
  })
  app.get('/', async (_, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(await livePage(path, await versionOf(path))),
  )
  app.get('/events', async (_, reply) => {
    reply.hijack()
    followers.add(reply.raw, await versionOf(path))
  })
  return app
}

/** Tells the pages that are open of each change. */
async function watch(path: string, followers: Followers, signal: AbortSignal): Promise<void> {
  let told = ''
  while (!signal.aborted) {
    const version = await versionOf(path)
    if (version !== told) followers.tell(version)
    told = version
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** Pages that are open, each of which listens to server-sent events. */
class Followers {
  readonly #responses = new Set<ServerResponse>()

  add(response: ServerResponse, version: string): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(eventOf(version))
    this.#responses.add(response)
    response.on('close', () => this.#responses.delete(response))
  }

  tell(version: string): void {
    for (const response of this.#responses) response.write(eventOf(version))
  }

  end(): void {
    for (const response of this.#responses) response.end()
  }
}

function eventOf(version: string): string {
  return `data: ${version}\n\n`
}
