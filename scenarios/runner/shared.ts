import type { Format } from '../../backends/backend.ts'
import type { Scenario as ScenarioRecord } from '../../reports/schema.ts'
import type { Dataset, PreparedDataset, PreparedTable } from '../scenario.ts'
import type { Waiting } from './child.ts'
import { makeTable, type StagedDataset, stageDataset } from './prepare.ts'
import { type Place, placeOf, removePlace, type Surroundings } from './surroundings.ts'

/** Told to whoever shows the run. */
export type OnPreparing = (what: string, done: number, total: number) => void

/**
 * What the cells of one scenario share: made on first use and kept, so that a resumed run makes only what its cells need.
 * What could not be made fails each cell that asks for it, and is not tried again.
 */
export class Shared implements AsyncDisposable {
  readonly #surroundings: Surroundings
  readonly #scenario: string
  readonly #waiting: Omit<Waiting, 'onProgress'>
  readonly #keep: boolean
  readonly #onPreparing: OnPreparing
  readonly #things = new Map<string, Promise<unknown>>()
  readonly #places: Place[] = []
  readonly #data: Record<string, ScenarioRecord['data'][string]> = {}

  /** @param surroundings without the latency of any cell */
  constructor(
    surroundings: Surroundings,
    scenario: string,
    { waiting, keep }: { readonly waiting: Omit<Waiting, 'onProgress'>; readonly keep: boolean },
    onPreparing: OnPreparing,
  ) {
    this.#surroundings = surroundings
    this.#scenario = scenario
    this.#waiting = waiting
    this.#keep = keep
    this.#onPreparing = onPreparing
  }

  /** What was made so far, for the results. */
  get data(): ScenarioRecord['data'] {
    return this.#data
  }

  get<T>(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#things.get(key)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key names one kind of thing, and the map is private
    if (known !== undefined) return known as Promise<T>
    const making = make()
    this.#things.set(key, making)
    return making
  }

  dataset(key: string, make: () => Dataset): Promise<PreparedDataset> {
    return this.#dataset(key, make)
  }

  async table(key: string, format: Format): Promise<PreparedTable> {
    return await this.get(`table ${key} ${format}`, async () => {
      const staged = await this.#dataset(key, () => {
        throw new Error(`the dataset "${key}" was not staged before its table was asked for`)
      })
      const waiting = this.#telling(`making the ${format} table${named(key)}`)
      const table = await makeTable(
        this.#surroundings,
        this.#place(`${key}/${format}`),
        format,
        staged,
        waiting,
      )
      this.#data[key] = {
        ...describe(staged),
        storedBytes: { ...this.#data[key]?.storedBytes, [format]: table.storedBytes },
      }
      return table
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#keep) return
    await Promise.allSettled(this.#things.values())
    for (const place of this.#places) await removePlace(this.#surroundings, place)
  }

  #dataset(key: string, make: () => Dataset): Promise<StagedDataset> {
    return this.get(`dataset ${key}`, async () => {
      const waiting = this.#telling(`staging the data${named(key)}`)
      const staged = await stageDataset(this.#surroundings, this.#place(`${key}/staged`), make(), waiting)
      this.#data[key] = describe(staged)
      return staged
    })
  }

  #place(name: string): Place {
    const place = placeOf(this.#surroundings, `shared/${this.#scenario}/${name}`)
    this.#places.push(place)
    return place
  }

  #telling(what: string): Waiting {
    this.#onPreparing(what, 0, 1)
    return { ...this.#waiting, onProgress: (done, total) => this.#onPreparing(what, done, total) }
  }
}

function describe(staged: StagedDataset): ScenarioRecord['data'][string] {
  return {
    rows: staged.initialRows,
    payloadBytes: staged.initialPayloadBytes,
    storedBytes: {},
    compressionRatio: Math.max(1, staged.initialPayloadBytes) / Math.max(1, staged.initialStagedBytes),
    contentHash: staged.expectation.contentHash,
  }
}

function named(key: string): string {
  return key === '' ? '' : ` (${key})`
}
