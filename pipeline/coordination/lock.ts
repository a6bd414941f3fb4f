import { attempt } from './attempts.ts'
import type {
  Coordinator,
  CoordinatorOptions,
  SharedBatch,
  SharedResult,
  SharedTable,
} from './coordinator.ts'
import { replay } from './replay.ts'
import { LastingSession, Session } from './session.ts'
import type { WantedLock } from './table-lock.ts'
import { acquireLocks, lockKey, whileHolding } from './table-lock.ts'

/** `lock`: writers take turns, in each partition where the format lets upserts of others pass. */
export class LockCoordinator implements Coordinator {
  readonly kind = 'lock'
  readonly #options: CoordinatorOptions
  readonly #session: LastingSession

  constructor(options: CoordinatorOptions) {
    this.#options = options
    this.#session = new LastingSession(() => Session.open(options.postgres))
  }

  async apply(table: SharedTable, shared: SharedBatch): Promise<SharedResult> {
    const { batch, mode, tag, columns } = shared
    if (columns.length > 0) await this.alone(table.uri, () => table.handle.evolve(columns))
    const { alreadyApplied, version } = await this.#holding(locksOf(table, shared), () =>
      attempt(table.handle, [{ batch, tag }], mode, this.#options.observe),
    )
    return { alreadyApplied, version, batchesTogether: 1 }
  }

  alone<T>(uri: string, action: () => Promise<T>): Promise<T> {
    return this.#holding([wholeTable(uri)], action)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]()
  }

  /** Starts again from the locks when it fails, since those may be lost by then. */
  async #holding<T>(locks: readonly WantedLock[], action: () => Promise<T>): Promise<T> {
    return replay(this.#options.replay, async () => {
      const session = await this.#session.get()
      await acquireLocks(session, locks, this.#options)
      return whileHolding(session, this.#options.staleMs, action)
    })
  }
}

function wholeTable(uri: string): WantedLock {
  return { key: lockKey(uri), shared: false }
}

/** Appends and replacements conflict with whatever is done to any partition. */
function locksOf(
  { uri, concurrentUpserts }: SharedTable,
  { mode, partitions }: SharedBatch,
): readonly WantedLock[] {
  if (mode !== 'upsert' || partitions === null || concurrentUpserts !== 'disjoint-partitions') {
    return [wholeTable(uri)]
  }
  const own = new Set(partitions.map((partition) => lockKey(uri, partition)))
  return [{ key: lockKey(uri), shared: true }, ...[...own].map((key) => ({ key, shared: false }))]
}
