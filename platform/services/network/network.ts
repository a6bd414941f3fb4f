import { randomBytes } from 'node:crypto'
import type { PostgresEndpoint, Storage } from '../../endpoints.ts'
import { LakeduelError } from '../../errors.ts'
import { Teardown } from '../../teardown.ts'
import { ToxiproxyApi, toxiproxyGone } from './api.ts'
import { type Calibration, calibrate, postgresRequester, type Requester, s3Requester } from './calibration.ts'
import { type Latencies, type NetworkProfile, PROFILE_LATENCIES } from './profiles.ts'
import type { Toxiproxy } from './toxiproxy.ts'
import { type FaultKind, type FaultOptions, type Heal, Way } from './way.ts'

export type { Calibration } from './calibration.ts'
export {
  type Latencies,
  latencies,
  NETWORK_PROFILES,
  type NetworkProfile,
  NO_LATENCY,
  PROFILE_LATENCIES,
} from './profiles.ts'
export { openToxiproxy, type Toxiproxy } from './toxiproxy.ts'
export type { FaultKind, FaultOptions, Heal } from './way.ts'

export type FaultTarget = 's3' | 'postgres'

/** A storage and a Postgres endpoint as measured processes must use them. */
export interface Network extends AsyncDisposable {
  readonly profile: NetworkProfile | 'custom'
  /** What answers are delayed by; null where no proxy is in between. */
  readonly latencies: Latencies | null
  /** Its `metricsUrl` stays that of the server, so that asking for counts takes no longer. */
  readonly storage: Storage
  readonly postgres: PostgresEndpoint
  /**
   * Adds a fault on one way until it is healed.
   * @throws LakeduelError `USAGE` where that way has no proxy, `PROXY_GONE`
   */
  fault(target: FaultTarget, kind: FaultKind, options?: FaultOptions): Promise<Heal>
  /** What the ways cost, measured when they were opened; null for one without a proxy. */
  readonly calibration: { readonly s3: Calibration | null; readonly postgres: Calibration | null }
  /**
   * To be called when something failed that may be the proxy's fault.
   * @throws LakeduelError `PROXY_GONE` when the proxy does not answer any more
   */
  check(): Promise<void>
}

/**
 * Puts the proxy before S3 and Postgres, measures what it costs, and adds a profile's latencies, or any others.
 * A storage in a local folder has no way that could be longer.
 * @param toxiproxy null will do for `loopback`
 * @throws LakeduelError `USAGE` for servers that can't be reached through a proxy, since their name is signed or certified
 */
export async function openNetwork(
  toxiproxy: Toxiproxy | null,
  storage: Storage,
  postgres: PostgresEndpoint,
  profile: NetworkProfile | Latencies,
): Promise<Network> {
  const wanted = typeof profile === 'string' ? PROFILE_LATENCIES[profile] : profile
  if (wanted === null) return withoutProxy(storage, postgres)
  if (toxiproxy === null) throw new Error('only the profile loopback can do without a Toxiproxy')
  assertProxiable(storage, postgres)
  const name = typeof profile === 'string' ? profile : 'custom'
  return new ProxiedNetwork(toxiproxy, name, wanted).open(storage, postgres)
}

function withoutProxy(storage: Storage, postgres: PostgresEndpoint): Network {
  return {
    profile: 'loopback',
    latencies: null,
    storage,
    postgres,
    fault: async (target) => {
      throw noProxyBefore(target)
    },
    calibration: { s3: null, postgres: null },
    check: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** A server, and how to reach it. */
interface Destination<Endpoint> {
  readonly direct: Endpoint
  /** Its host and port. */
  readonly upstream: string
  readonly through: (way: Way) => Endpoint
  readonly requester: (endpoint: Endpoint) => Requester
}

interface Opened<Endpoint, Measured> {
  readonly endpoint: Endpoint
  readonly calibration: Measured
}

class ProxiedNetwork {
  readonly #api: ToxiproxyApi
  readonly #apiUrl: string
  readonly #listenHost: string
  readonly #profile: NetworkProfile | 'custom'
  readonly #latencies: Latencies
  readonly #ways: Partial<Record<FaultTarget, Way>> = {}
  readonly #teardown = new Teardown()
  /** Several networks may share one Toxiproxy. */
  readonly #prefix = randomBytes(4).toString('hex')

  constructor({ apiUrl }: Toxiproxy, profile: NetworkProfile | 'custom', wanted: Latencies) {
    this.#api = new ToxiproxyApi(apiUrl)
    this.#apiUrl = apiUrl
    this.#listenHost = new URL(apiUrl).hostname
    this.#profile = profile
    this.#latencies = wanted
  }

  async open(storage: Storage, postgres: PostgresEndpoint): Promise<Network> {
    try {
      const s3 = await this.#openS3(storage)
      const toPostgres = await this.#openPostgres(postgres)
      return {
        profile: this.#profile,
        latencies: this.#latencies,
        storage: s3.endpoint,
        postgres: toPostgres.endpoint,
        calibration: { s3: s3.calibration, postgres: toPostgres.calibration },
        fault: (target, kind, options = {}) => this.#fault(target, kind, options),
        check: () => this.#check(),
        [Symbol.asyncDispose]: () => this.#teardown[Symbol.asyncDispose](),
      }
    } catch (error) {
      await this.#teardown[Symbol.asyncDispose]()
      throw error
    }
  }

  async #openS3(storage: Storage): Promise<Opened<Storage, Calibration | null>> {
    if (storage.kind === 'local') return { endpoint: storage, calibration: null }
    const { hostname, port } = new URL(storage.endpoint.url)
    return this.#openWay('s3', {
      direct: storage,
      upstream: `${hostname}:${port || '80'}`,
      through: (way) => ({
        ...storage,
        endpoint: { ...storage.endpoint, url: `http://${way.host}:${way.port}` },
      }),
      requester: s3Requester,
    })
  }

  async #openPostgres(postgres: PostgresEndpoint): Promise<Opened<PostgresEndpoint, Calibration>> {
    return this.#openWay('postgres', {
      direct: postgres,
      upstream: `${postgres.host}:${postgres.port}`,
      through: ({ host, port }) => ({ ...postgres, host, port }),
      requester: postgresRequester,
    })
  }

  /** Beside the way that is used there is one without latency for as long as the calibration takes. */
  async #openWay<Endpoint>(
    target: FaultTarget,
    { direct, upstream, through, requester }: Destination<Endpoint>,
  ): Promise<Opened<Endpoint, Calibration>> {
    const open = (name: string) => Way.open(this.#api, `${this.#prefix}-${name}`, upstream, this.#listenHost)
    const way = await open(target)
    this.#ways[target] = way
    this.#teardown.defer(async () => way[Symbol.asyncDispose]())
    await way.delay(this.#latencies[target])
    await using undelayed = await open(`${target}-undelayed`)
    const calibration = await calibrate({
      direct: requester(direct),
      undelayed: requester(through(undelayed)),
      proxied: requester(through(way)),
    })
    return { endpoint: through(way), calibration }
  }

  async #fault(target: FaultTarget, kind: FaultKind, options: FaultOptions): Promise<Heal> {
    const way = this.#ways[target]
    if (way === undefined) throw noProxyBefore(target)
    if (kind === '503' && target !== 's3')
      throw new LakeduelError('USAGE', 'Only S3 has an answer 503; Postgres speaks no HTTP.')
    return way.fault(kind, options)
  }

  async #check(): Promise<void> {
    if (!(await this.#api.answers())) throw toxiproxyGone(this.#apiUrl)
  }
}

function noProxyBefore(target: FaultTarget): LakeduelError {
  return new LakeduelError('USAGE', `No proxy stands before ${target}, so that it can have no faults.`, {
    facts: { target },
    remedy: 'Open the network with a profile other than `loopback`, or with `NO_LATENCY`.',
  })
}

function assertProxiable(storage: Storage, postgres: PostgresEndpoint): void {
  if (storage.kind === 's3') {
    const { url, urlStyle } = storage.endpoint
    if (url.startsWith('https:')) throw notProxiable(url, 'its certificate names another host than the proxy')
    if (urlStyle === 'vhost') throw notProxiable(url, 'its buckets are addressed by host name')
  }
  if (postgres.sslmode === 'verify-full') {
    throw notProxiable(
      `${postgres.host}:${postgres.port}`,
      'its certificate names another host than the proxy',
    )
  }
}

function notProxiable(server: string, reason: string): LakeduelError {
  return new LakeduelError('USAGE', `${server} cannot be reached through a proxy: ${reason}.`, {
    facts: { server },
    remedy: 'Use the network profile `loopback`, which leaves the network as it is.',
  })
}
