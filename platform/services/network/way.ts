import { LakeduelError } from '../../errors.ts'
import type { ToxiproxyApi } from './api.ts'
import type { Latency } from './profiles.ts'
import { startUnavailableServer, type UnavailableServer } from './unavailable.ts'

/**
 * - `latency`: answers (or requests) come later by `latencyMs` (default 200), more or less by up to `jitterMs`;
 * - `reset`: a connection breaks at its next piece of data, which is lost: of answers, so that the server has done what the
 *   client doesn't know of, or of requests, so that the server never heard of it. One that was opened since is reset, an older
 *   one is closed;
 * - `stall`: nothing passes and nothing breaks; after healing all of it passes;
 * - `down`: all connections are closed, and new ones refused;
 * - `503` (S3 only): all connections are closed, and new ones are answered with `503 SlowDown`.
 */
export type FaultKind = 'latency' | 'reset' | 'stall' | 'down' | '503'

export interface FaultOptions extends Partial<Latency> {
  /** For `latency` and `reset`; answers by default. */
  readonly on?: 'answers' | 'requests'
}

/** Undoes a fault; again, or after the way was closed, it does nothing. */
export type Heal = () => Promise<void>

const STREAMS = { answers: 'downstream', requests: 'upstream' } as const
/** Longer than anybody waits. Toxiproxy holds back what is delayed, and lets it pass when the delay is removed. */
const STALL_MS = 86_400_000
const DEFAULT_FAULT_LATENCY_MS = 200

/** The way to one server through one proxy of a Toxiproxy. */
export class Way implements AsyncDisposable {
  readonly #api: ToxiproxyApi
  readonly #name: string
  readonly #upstream: string
  readonly host: string
  readonly port: number
  /** Those that answer in the server's place. */
  readonly #standIns = new Set<UnavailableServer>()
  #faults = 0
  #closed = false

  /** @param upstream host and port of the server @param listenHost where the proxy listens, on any free port */
  static async open(api: ToxiproxyApi, name: string, upstream: string, listenHost: string): Promise<Way> {
    const listening = await api.createProxy({ name, listen: `${listenHost}:0`, upstream })
    const port = Number(listening.slice(listening.lastIndexOf(':') + 1))
    return new Way(api, { name, upstream, host: listenHost, port })
  }

  private constructor(
    api: ToxiproxyApi,
    { name, upstream, host, port }: { name: string; upstream: string; host: string; port: number },
  ) {
    this.#api = api
    this.#name = name
    this.#upstream = upstream
    this.host = host
    this.port = port
  }

  /** Delays all answers from now on. */
  async delay({ latencyMs, jitterMs }: Latency): Promise<void> {
    if (latencyMs === 0 && jitterMs === 0) return
    await this.#api.addToxic(this.#name, latencyToxic('profile', 'downstream', latencyMs, jitterMs))
  }

  async fault(kind: FaultKind, options: FaultOptions): Promise<Heal> {
    const heal = await this.#inflict(kind, options)
    let healed = false
    return async () => {
      if (healed || this.#closed) return
      await heal()
      healed = true
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const standIn of this.#standIns) await standIn[Symbol.asyncDispose]()
    await this.#api.deleteProxy(this.#name).catch(unlessGone)
  }

  async #inflict(kind: FaultKind, options: FaultOptions): Promise<Heal> {
    const { on = 'answers', latencyMs = DEFAULT_FAULT_LATENCY_MS, jitterMs = 0 } = options
    const name = `${kind}-${(this.#faults += 1)}`
    switch (kind) {
      case 'latency':
        return this.#add(latencyToxic(name, STREAMS[on], latencyMs, jitterMs))
      case 'reset':
        return this.#add({ name, type: 'reset_peer', stream: STREAMS[on], attributes: { timeout: 0 } })
      case 'stall':
        return this.#stall(name)
      case 'down':
        await this.#api.updateProxy(this.#name, { enabled: false })
        return () => this.#api.updateProxy(this.#name, { enabled: true })
      case '503':
        return this.#answerUnavailable()
    }
  }

  async #add(toxic: Parameters<ToxiproxyApi['addToxic']>[1]): Promise<Heal> {
    await this.#api.addToxic(this.#name, toxic)
    return () => this.#api.removeToxic(this.#name, toxic.name)
  }

  /** Both directions: with one of them open a server would go on working for a client that it can't reach. */
  async #stall(name: string): Promise<Heal> {
    const healRequests = await this.#add(latencyToxic(`${name}-requests`, 'upstream', STALL_MS, 0))
    const healAnswers = await this.#add(latencyToxic(`${name}-answers`, 'downstream', STALL_MS, 0))
    return async () => {
      await healAnswers()
      await healRequests()
    }
  }

  async #answerUnavailable(): Promise<Heal> {
    const standIn = await startUnavailableServer()
    this.#standIns.add(standIn)
    await this.#api.updateProxy(this.#name, { upstream: `127.0.0.1:${standIn.port}` })
    return async () => {
      await this.#api.updateProxy(this.#name, { upstream: this.#upstream })
      this.#standIns.delete(standIn)
      await standIn[Symbol.asyncDispose]()
    }
  }
}

/** A Toxiproxy that is gone has taken its proxies with it, and was reported where it was missed. */
function unlessGone(error: unknown): void {
  if (!(error instanceof LakeduelError && error.code === 'PROXY_GONE')) throw error
}

function latencyToxic(
  name: string,
  stream: 'upstream' | 'downstream',
  latencyMs: number,
  jitterMs: number,
): Parameters<ToxiproxyApi['addToxic']>[1] {
  return { name, type: 'latency', stream, attributes: { latency: latencyMs, jitter: jitterMs } }
}
