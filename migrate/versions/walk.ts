import { brokenLog } from '../log/errors.ts'
import { assertReadable } from '../log/features.ts'
import { commitKey, type DeltaLog } from '../log/log.ts'
import { TableState } from '../log/replay.ts'
import { type DeltaSnapshot, snapshotOf } from '../log/snapshot.ts'
import type { VersionStep } from './apply-version.ts'

/** Goes from version to version of a Delta table, reading each commit once. */
export class VersionWalk {
  #log: DeltaLog
  readonly #state: TableState
  #current: DeltaSnapshot

  private constructor(log: DeltaLog, state: TableState, current: DeltaSnapshot) {
    this.#log = log
    this.#state = state
    this.#current = current
  }

  /** @throws LakeduelError `SOURCE_BROKEN`, `SOURCE_UNSUPPORTED` */
  static async startAt(log: DeltaLog, version: number): Promise<VersionWalk> {
    const state = new TableState(log.source.storage)
    for (const part of log.partsOf(version)) state.apply(await part.read(), part.key)
    return new VersionWalk(log, state, readable(log, version, state))
  }

  get current(): DeltaSnapshot {
    return this.#current
  }

  /** Goes on by a later listing of the same log. */
  onward(log: DeltaLog): this {
    this.#log = log
    return this
  }

  /** The next version up to a last one; where its commit was cleaned up, the next that a checkpoint still tells. */
  async next(last: number): Promise<VersionStep | null> {
    const before = this.#current
    const version = before.version + 1
    if (version > last) return null
    if (!this.#log.listing.commits.has(version)) return this.#jump(last)
    const actions = await this.#log.commit(version)
    this.#state.apply(actions, commitKey(version))
    this.#current = readable(this.#log, version, this.#state)
    return { before, after: this.#current, info: actions.commitInfo }
  }

  async #jump(last: number): Promise<VersionStep> {
    const before = this.#current
    const reachable = this.#log.listing.checkpoints
      .map(({ version }) => version)
      .filter((version) => version > before.version && version <= last)
    const version = Math.min(...reachable)
    if (!Number.isFinite(version)) {
      throw brokenLog(commitKey(before.version + 1), 'is missing, and no checkpoint follows it')
    }
    const there = await VersionWalk.startAt(this.#log, version)
    this.#state.become(there.#state)
    this.#current = there.current
    return { before, after: this.#current, info: null }
  }
}

function readable(log: DeltaLog, version: number, state: TableState): DeltaSnapshot {
  const snapshot = snapshotOf(log, version, state)
  assertReadable(snapshot.uri, snapshot.protocol)
  return snapshot
}
