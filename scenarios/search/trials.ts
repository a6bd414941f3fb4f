import { type Arm, formatOf } from '../../backends/backend.ts'
import type { Phase } from '../../reports/schema.ts'
import type { CheckedEvent } from '../processes/protocol.ts'
import { CellFailed, type Failure } from '../runner/failure.ts'
import { type Place, removePlace } from '../runner/surroundings.ts'
import type { Lab, LoaderOptions, PreparedDataset, PreparedTable } from '../scenario.ts'

/** How a merge under a cap ended. */
export interface Attempt {
  readonly passed: boolean
  readonly failure: Failure | null
  /** What the merge took; null where it failed. */
  readonly phase: Phase | null
  /** What a reader found afterwards; null where there was none. */
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
  async mergeAndCheck(capBytes: number): Promise<Attempt> {
    const merged = await this.merge(capBytes, {})
    return merged.passed ? { ...merged, checked: await this.check() } : merged
  }

  /** @param settings of the arm, apart from its defaults */
  async merge(capBytes: number, settings: NonNullable<LoaderOptions['settings']>): Promise<Attempt> {
    const place = await this.#freshCopy()
    const { batches } = this.#prepared
    const { runId } = this.#lab.surroundings
    const work = { kind: 'apply' as const, batches, mode: 'upsert' as const, runId, firstBatchIndex: 0 }
    return await this.#load('apply', { place, work, memoryCapBytes: capBytes, settings })
  }

  /** Reads the table that was merged last. */
  async check(): Promise<CheckedEvent | null> {
    const { dataset, expectation } = this.#prepared
    const place = this.#lab.place()
    const reading = { arm: this.#arm, place, table: dataset.table, query: dataset.readQuery, expectation }
    return (await this.#lab.read('read-after', reading)).checked
  }

  /** Maintains the table that was merged last, under a cap. */
  async maintain(capBytes: number): Promise<Failure | null> {
    const work = { kind: 'maintain' as const }
    return (await this.#load('maintain', { place: this.#lab.place(), work, memoryCapBytes: capBytes }))
      .failure
  }

  async #freshCopy(): Promise<Place> {
    await removePlace(this.#lab.surroundings, this.#lab.place())
    return await this.#lab.copyOf(this.#table, formatOf(this.#arm))
  }

  async #load(phaseName: string, options: Omit<LoaderOptions, 'arm' | 'table'>): Promise<Attempt> {
    const { table } = this.#prepared.dataset
    try {
      const { phase } = await this.#lab.load(phaseName, { arm: this.#arm, table, ...options })
      return { passed: true, failure: null, phase, checked: null }
    } catch (error) {
      if (error instanceof CellFailed)
        return { passed: false, failure: error.failure, phase: null, checked: null }
      throw error
    }
  }
}
