import type { Lease } from '../../../pipeline/state/leases.ts'
import type { State } from '../../../pipeline/state/store.ts'

/** Batches of nothing that go through the queue one by one: recorded, claimed, committed. */
export class QueueTrip {
  readonly #state: State
  readonly #lease: Lease

  private constructor(state: State, lease: Lease) {
    this.#state = state
    this.#lease = lease
  }

  static async begin(state: State): Promise<QueueTrip> {
    const { run } = await state.runs.begin(
      {
        source: { name: 'synthetic', config: {}, table: 'events' },
        destination: { arm: 'ducklake/merge', lake: 'lake', table: 'events', settings: {} },
        mode: 'append',
        applyAs: 'append',
        incrementalField: null,
        primaryKey: [],
        partition: null,
        nested: 'json',
        columnTypes: {},
        compaction: { minFiles: null },
        triggers: [],
      },
      { resume: false },
    )
    const acquired = await state.leases.acquire(run.runId)
    if (acquired.status !== 'acquired') throw new Error('the run is held by another process')
    return new QueueTrip(state, acquired.lease)
  }

  async once(): Promise<void> {
    await this.#state.extraction.stageBatch(this.#lease, {
      record: { parts: [], columns: [], rows: 0, bytes: 0, payloadBytes: 0 },
      cursor: null,
      mark: null,
      partition: { mode: 'none' },
      spooledThroughPage: 0,
      pages: 1,
    })
    const claimed = await this.#state.load.claim()
    if (claimed === null) throw new Error('the batch that was queued is not there')
    await this.#state.load.commitBatch(claimed.claim, { rowsCommitted: 0, deadRows: [] })
  }
}
