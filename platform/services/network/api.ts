import { z } from 'zod'
import { LakeduelError, messageOf } from '../../errors.ts'

const proxySchema = z.object({ listen: z.string() })

/** As Toxiproxy names them: `upstream` is the way of the requests, `downstream` that of the answers. */
export interface Toxic {
  readonly name: string
  readonly type: 'latency' | 'reset_peer'
  readonly stream: 'upstream' | 'downstream'
  readonly attributes: Readonly<Record<string, number>>
}

const TIMEOUT_MS = 10_000

/** The HTTP interface of a Toxiproxy, as far as it is used here: https://github.com/Shopify/toxiproxy#http-api */
export class ToxiproxyApi {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async answers(): Promise<boolean> {
    return fetch(`${this.#url}/version`, { signal: AbortSignal.timeout(1_000) }).then(
      ({ ok }) => ok,
      () => false,
    )
  }

  /** @returns where it listens: host and port */
  async createProxy(proxy: { name: string; listen: string; upstream: string }): Promise<string> {
    return proxySchema.parse(await (await this.#send('POST', 'proxies', proxy)).json()).listen
  }

  /** Closes all of its connections when its upstream changes or when it is disabled. */
  async updateProxy(name: string, change: { enabled?: boolean; upstream?: string }): Promise<void> {
    await this.#send('POST', `proxies/${name}`, change)
  }

  async deleteProxy(name: string): Promise<void> {
    await this.#send('DELETE', `proxies/${name}`)
  }

  async addToxic(proxy: string, toxic: Toxic): Promise<void> {
    await this.#send('POST', `proxies/${proxy}/toxics`, toxic)
  }

  async removeToxic(proxy: string, toxic: string): Promise<void> {
    await this.#send('DELETE', `proxies/${proxy}/toxics/${toxic}`)
  }

  async #send(method: string, path: string, body?: object): Promise<Response> {
    const url = `${this.#url}/${path}`
    const request = { method, signal: AbortSignal.timeout(TIMEOUT_MS) }
    const response = await fetch(
      url,
      body === undefined ? request : { ...request, body: JSON.stringify(body) },
    ).catch((cause: unknown) => {
      throw toxiproxyGone(this.#url, cause)
    })
    if (response.ok) return response
    const told = (await response.text()).trim()
    throw new LakeduelError('SETUP_FAILED', `Toxiproxy refuses ${method} ${url}: ${told}`, {
      facts: { method, url, httpStatus: response.status, told },
      remedy: 'Let lakeduel start a Toxiproxy of its own, or use version 2.5 or newer.',
    })
  }
}

export function toxiproxyGone(apiUrl: string, cause?: unknown): LakeduelError {
  const why = cause instanceof Error ? ` (${messageOf(cause.cause ?? cause)})` : ''
  return new LakeduelError(
    'PROXY_GONE',
    `Toxiproxy at ${apiUrl}, the proxy through which S3 and Postgres are reached, does not answer${why}.`,
    {
      facts: { proxy: 'Toxiproxy', apiUrl },
      remedy:
        'See whether it was ended (the kernel log tells of kills for memory) or whether LAKEDUEL_TOXIPROXY names the wrong address, and run again.',
      cause,
    },
  )
}
