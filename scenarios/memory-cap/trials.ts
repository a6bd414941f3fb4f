import { type Arm, formatOf } from '../../backends/backend.ts'
import type { CheckedEvent } from '../processes/protocol.ts'
import { CellFailed, type Failure } from '../runner/failure.ts'
import { type Place, removePlace } from '../runner/surroundings.ts'
import type { Lab, LoaderOptions, PreparedDataset, PreparedTable } from '../scenario.ts'

/** How a merge under a cap ended. */
export interface Attempt {
  readonly passed: boolean
  readonly failure: Failure | null
  readonly checked: CheckedEvent | null
}

/** Merges of the same batch into fresh copies of the same table, each under a cap of its own. */
export class Trials {
  readonly #arm: Arm
  readonly #lab: Lab
  readonly #table: PreparedTable
  readonly #prepared: PreparedDataset

  constructor(arm: Arm, lab: Lab, table: PreparedTable, prepared: PreparedDataset) {
    this.#arm = arm
    this.#lab = lab
    this.#table = table
    this.#prepared = prepared
  }

  /** Whatever ends a merge under a cap is a failure of that cap, and is kept by its kind; what passed is checked. */
  async merge(capBytes: number): Promise<Attempt> {
    const place = await this.#freshCopy()
    const { batches, dataset, expectation } = this.#prepared
    const { runId } = this.#lab.surroundings
    const work = { kind: 'apply' as const, batches, mode: 'upsert' as const, runId, firstBatchIndex: 0 }
    const failure = await this.#failureOf('apply', place, work, capBytes)
    if (failure !== null) return { passed: false, failure, checked: null }
    const reading = { arm: this.#arm, place, table: dataset.table, query: dataset.readQuery, expectation }
    const { checked } = await this.#lab.read('read-after', reading)
    return { passed: true, failure: null, checked }
  }

  /** Maintains the table that was merged last, under a cap. */
  async maintain(capBytes: number): Promise<Failure | null> {
    return await this.#failureOf('maintain', this.#lab.place(), { kind: 'maintain' }, capBytes)
  }

  async #freshCopy(): Promise<Place> {
    await removePlace(this.#lab.surroundings, this.#lab.place())
    return await this.#lab.copyOf(this.#table, formatOf(this.#arm))
  }

  async #failureOf(
    phase: string,
    place: Place,
    work: LoaderOptions['work'],
    memoryCapBytes: number,
  ): Promise<Failure | null> {
    const { table } = this.#prepared.dataset
    try {
      await this.#lab.load(phase, { arm: this.#arm, place, table, work, memoryCapBytes })
      return null
    } catch (error) {
      if (error instanceof CellFailed) return error.failure
      throw error
    }
  }
}
