import type { PostgresEndpoint, Storage } from '../../platform/endpoints.ts'
import {
  latencies,
  type Network,
  type NetworkProfile,
  NO_LATENCY,
  openNetwork,
  type Toxiproxy,
} from '../../platform/services/network/network.ts'
import { Teardown } from '../../platform/teardown.ts'
import type { Point, Run } from '../../reports/schema.ts'
import { type PlannedCell, S3_LATENCY } from '../scenario.ts'

/** The ways to the servers that the cells of a run take. Each is opened, and measured, when the first cell needs it. */
export class Networks implements AsyncDisposable {
  readonly #proxy: () => Promise<Toxiproxy>
  readonly #storage: Storage
  readonly #postgres: PostgresEndpoint
  readonly #profile: NetworkProfile
  readonly #open = new Map<string, Promise<Network>>()
  readonly #teardown = new Teardown()
  #started: Promise<Toxiproxy> | null = null

  /** @param profile for all cells but those whose point or scenario says otherwise */
  constructor(
    proxy: () => Promise<Toxiproxy>,
    storage: Storage,
    postgres: PostgresEndpoint,
    profile: NetworkProfile,
  ) {
    this.#proxy = proxy
    this.#storage = storage
    this.#postgres = postgres
    this.#profile = profile
  }

  of(cell: PlannedCell): Promise<Network> {
    const latencyMs = latencyOf(cell.point)
    if (cell.scenario.faults === true) return this.#network('faults', latencies(latencyMs ?? 0))
    if (latencyMs === null) return this.#network(this.#profile, this.#profile)
    return latencyMs === 0
      ? this.#network('loopback', 'loopback')
      : this.#network(`${latencyMs}`, latencies(latencyMs))
  }

  /** What the run's own profile adds, as results record it. */
  async recorded(): Promise<Run['network']> {
    if (this.#profile === 'loopback') return null
    const { latencies: added, calibration } = await this.#network(this.#profile, this.#profile)
    const { s3, postgres } = added ?? NO_LATENCY
    return {
      profile: this.#profile,
      s3: { ...s3, calibration: calibration.s3 },
      postgres: { ...postgres, calibration: calibration.postgres },
    }
  }

  /** @throws LakeduelError `PROXY_GONE` when the proxy of a way that was opened does not answer any more */
  async check(): Promise<void> {
    for (const network of this.#open.values()) await (await network).check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#teardown[Symbol.asyncDispose]()
  }

  #network(key: string, wanted: Parameters<typeof openNetwork>[3]): Promise<Network> {
    const known = this.#open.get(key)
    if (known !== undefined) return known
    const opening = this.#openNew(wanted)
    this.#open.set(key, opening)
    return opening
  }

  async #openNew(wanted: Parameters<typeof openNetwork>[3]): Promise<Network> {
    const proxy = wanted === 'loopback' ? null : await this.#toxiproxy()
    const network = await openNetwork(proxy, this.#storage, this.#postgres, wanted)
    this.#teardown.defer(async () => network[Symbol.asyncDispose]())
    return network
  }

  #toxiproxy(): Promise<Toxiproxy> {
    this.#started ??= this.#proxy().then((proxy) => {
      this.#teardown.defer(async () => proxy[Symbol.asyncDispose]())
      return proxy
    })
    return this.#started
  }
}

function latencyOf(point: Point): number | null {
  const value = point[S3_LATENCY.name]
  return typeof value === 'number' ? value : null
}
