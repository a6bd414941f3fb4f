import type { BackendEnvironment, Format } from '../../backends/backend.ts'
import { createPod } from '../../platform/pods/mechanism.ts'
import type { Network } from '../../platform/services/network/network.ts'
import { Teardown } from '../../platform/teardown.ts'
import type { Metric, Phase, Series } from '../../reports/schema.ts'
import type { CheckedEvent, LoaderDone } from '../processes/protocol.ts'
import {
  checkedEventSchema,
  loaderDoneSchema,
  readerDoneSchema,
  readyEventSchema,
} from '../processes/protocol.ts'
import type {
  Dataset,
  Lab,
  LoaderOptions,
  Parameters,
  PreparedDataset,
  PreparedTable,
  Profile,
  ReadOptions,
  Ready,
} from '../scenario.ts'
import { networkMetrics, networkOfCell } from './cell-network.ts'
import { Child, type Waiting } from './child.ts'
import { type Alone, type Instruments, measurePhase } from './phase.ts'
import type { Shared } from './shared.ts'
import { environmentOf, type Place, placeOf, removePlace, type Surroundings } from './surroundings.ts'

/** A phase of less than a second shows nothing over time. */
const LEAST_TIMELINE_POINTS = 20

export interface LabOptions {
  readonly cellId: string
  /** As the cell's processes must see the servers. */
  readonly surroundings: Surroundings
  /** Without the cell's latency, for what isn't measured. */
  readonly direct: Surroundings
  readonly network: Network
  readonly instruments: Instruments
  readonly shared: Shared
  readonly parameters: Parameters
  readonly seed: number
  readonly profile: Profile
  readonly memoryCapBytes: number | null
  readonly deadlineMs: number
  readonly copyTables: (format: Format, from: BackendEnvironment, to: BackendEnvironment) => Promise<void>
  /** Leaves the cell's tables where they are. */
  readonly keep: boolean
  readonly alone: Alone
  readonly onPhase: (phase: string) => void
}

/** The lab of one cell, which remembers what was measured in it. */
export class CellLab implements Lab, AsyncDisposable {
  readonly surroundings: Surroundings
  readonly network: Network
  readonly parameters: Parameters
  readonly seed: number
  readonly profile: Profile
  readonly memoryCapBytes: number | null
  readonly deadlineMs: number
  readonly signal: AbortSignal
  /** What the cell is doing. */
  doing = 'prepare'
  readonly phases: Record<string, Phase> = {}
  readonly metrics: Record<string, Metric>
  readonly series: Record<string, Series> = {}
  readonly settings: Record<string, unknown> = {}
  readonly versions: Record<string, string> = {}
  readonly #options: LabOptions
  readonly #teardown = new Teardown()
  readonly #places = new Map<string, Place>()

  constructor(options: LabOptions) {
    this.#options = options
    this.surroundings = options.surroundings
    this.network = networkOfCell(options.network, this.#teardown)
    this.metrics = { ...networkMetrics(options.network) }
    this.parameters = options.parameters
    this.seed = options.seed
    this.profile = options.profile
    this.memoryCapBytes = options.memoryCapBytes
    this.deadlineMs = options.deadlineMs
    this.signal = options.surroundings.signal
  }

  shared<T>(key: string, make: () => Promise<T>): Promise<T> {
    return this.#options.shared.get(`own ${key}`, make)
  }

  dataset(key: string, make: () => Dataset): Promise<PreparedDataset> {
    return this.#options.shared.dataset(key, make)
  }

  table(key: string, format: Format): Promise<PreparedTable> {
    return this.#options.shared.table(key, format)
  }

  place(name = ''): Place {
    const known = this.#places.get(name)
    if (known !== undefined) return known
    const place = placeOf(this.surroundings, this.#path(name))
    this.#places.set(name, place)
    if (!this.#options.keep)
      this.#teardown.defer(() => removePlace(this.#options.direct, this.#straight(name)))
    return place
  }

  async copyOf(table: PreparedTable, format: Format, name = ''): Promise<Place> {
    const place = this.place(name)
    const { direct, copyTables } = this.#options
    const to = environmentOf(direct, this.#straight(name), null)
    await copyTables(format, environmentOf(direct, table.place, null), to)
    return place
  }

  environment(place: Place, memoryBudgetBytes: number | null = null): BackendEnvironment {
    return environmentOf(this.surroundings, place, memoryBudgetBytes)
  }

  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#options.alone(work)
  }

  enter(phase: string): void {
    this.doing = phase
    this.#options.onPhase(phase)
  }

  async start(
    entry: 'stage' | 'loader' | 'reader' | 'writer',
    request: object,
    memoryCapBytes: number | null = null,
  ): Promise<Child> {
    const pod = await createPod({ name: entry, memoryCapBytes })
    this.#teardown.defer(async () => pod[Symbol.asyncDispose]())
    const child = new Child(pod, this.surroundings.entries[entry], request)
    this.#teardown.defer(async () => child[Symbol.asyncDispose]())
    return child
  }

  async loader(options: LoaderOptions): Promise<Ready> {
    const memoryCapBytes = options.memoryCapBytes === undefined ? this.memoryCapBytes : options.memoryCapBytes
    const { arm, table, work, settings } = options
    const request = {
      arm,
      environment: this.environment(options.place, memoryCapBytes),
      settings: { ...this.surroundings.settings[arm], ...settings },
      table,
      work,
    }
    return this.ready(await this.start('loader', request, memoryCapBytes))
  }

  async ready(child: Child): Promise<Ready> {
    const ready = await child.event(readyEventSchema, this.#waiting)
    Object.assign(this.settings, ready.settings)
    Object.assign(this.versions, ready.versions)
    return { child, processes: ready.processes }
  }

  async measure<Result>(
    phase: string,
    processes: readonly Ready[],
    work: () => Promise<Result & { readonly wallMs?: number }>,
  ): Promise<{ readonly phase: Phase; readonly result: Result }> {
    this.enter(phase)
    const measured = await this.alone(() => measurePhase<Result>(processes, this.#options.instruments, work))
    this.phases[phase] = measured.phase
    if (measured.memoryOverTime.length >= LEAST_TIMELINE_POINTS)
      this.series[`${phase}.memory`] = overTime(measured.memoryOverTime)
    return measured
  }

  async load(
    phase: string,
    options: LoaderOptions,
  ): Promise<{ readonly phase: Phase; readonly done: LoaderDone }> {
    this.enter(phase)
    const ready = await this.loader(options)
    const measured = await this.measure(phase, [ready], () => {
      ready.child.tell('go')
      return ready.child.event(loaderDoneSchema, this.#waiting)
    })
    this.enter('close')
    await ready.child.exit()
    return { phase: measured.phase, done: measured.result }
  }

  async read(
    phase: string,
    { arm, place, table, query, expectation, unionWith = [] }: ReadOptions,
  ): Promise<{ readonly phase: Phase; readonly checked: CheckedEvent | null }> {
    this.enter(phase)
    const request = { arm, environment: this.environment(place), table, query, expectation, unionWith }
    const child = await this.start('reader', request)
    const { processes } = await child.event(readyEventSchema, this.#waiting)
    const measured = await this.measure(phase, [{ child, processes }], () => {
      child.tell('go')
      return child.event(readerDoneSchema, this.#waiting)
    })
    this.enter(expectation === null ? 'close' : 'oracle')
    const checked = expectation === null ? null : await child.event(checkedEventSchema, this.#waiting)
    await child.exit()
    return { phase: measured.phase, checked }
  }

  record(name: string, what: Metric | Series): void {
    if ('value' in what) this.metrics[name] = what
    else this.series[name] = what
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#teardown[Symbol.asyncDispose]()
  }

  /** The same place without the cell's network. */
  #straight(name: string): Place {
    return placeOf(this.#options.direct, this.#path(name))
  }

  #path(name: string): string {
    return `cells/${this.#options.cellId}${name === '' ? '' : `/${name}`}`
  }

  get #waiting(): Waiting {
    return { deadlineMs: this.deadlineMs, signal: this.signal }
  }
}

function overTime(points: readonly (readonly [number, number])[]): Series {
  return {
    x: { name: 'time', unit: 'ms' },
    y: { name: 'private memory', unit: 'bytes' },
    points: points.map(([ms, bytes]) => [ms, bytes]),
  }
}
