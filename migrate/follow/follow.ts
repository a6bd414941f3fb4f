import { setTimeout as sleep } from 'node:timers/promises'
import { LakeduelError } from '../../platform/errors.ts'
import { assertUnchangedByOthers } from '../lake/foreign-changes.ts'
import type { Lake } from '../lake/lake.ts'
import type { TableName } from '../lake/table-name.ts'
import { DeltaLog } from '../log/log.ts'
import type { DeltaSource } from '../source/source.ts'
import { loadFinished, type MigrationState } from '../state/state.ts'
import { VersionApplier, type VersionStep } from '../versions/apply-version.ts'
import { VersionWalk } from '../versions/walk.ts'

export interface FollowOptions {
  /** How often the log is looked at; null to apply what is there and end. */
  readonly everyMs: number | null
  /** Ends the following between two versions. */
  readonly signal: AbortSignal
}

/** How far a lake table is behind its Delta table. */
export interface Lag {
  readonly version: number
  readonly latestVersion: number
  /** Since the oldest version that isn't applied was committed; 0 where all are. */
  readonly lagMs: number
}

export interface Followed extends Lag {
  readonly state: MigrationState
  readonly applied: number
}

const REMEDY =
  'Whatever wrote to it, or compacted it, must wait for the cutover: roll the migration back with --force, and move the table again.'

/**
 * Applies the versions of a Delta table to the lake table that it was moved to, as they come, each in one transaction with the
 * state that tells of it: a follower that was killed goes on behind the last.
 * @returns when the signal is aborted, or at once without an interval
 * @throws LakeduelError `TABLE_NOT_FOUND`, `MIGRATION_REFUSED`, `MIGRATION_DIFFERS`, `SOURCE_BROKEN`, `COMMIT_CONFLICT`
 */
export async function followTable(
  source: DeltaSource,
  lake: Lake,
  target: TableName,
  { everyMs, signal }: FollowOptions,
  report: (lag: Lag) => void,
): Promise<Followed> {
  const follower = new Follower(source, lake, target, await loadFinished(lake, target))
  for (;;) {
    await follower.catchUp(signal, report)
    if (everyMs === null || signal.aborted || !(await waited(everyMs, signal))) return follower.followed
  }
}

class Follower {
  readonly #source: DeltaSource
  readonly #lake: Lake
  readonly #target: TableName
  readonly #applier: VersionApplier
  readonly #begunAt: number
  #state: MigrationState
  #lag: Lag
  #walk: VersionWalk | null = null

  constructor(source: DeltaSource, lake: Lake, target: TableName, state: MigrationState) {
    this.#source = source
    this.#lake = lake
    this.#target = target
    this.#applier = new VersionApplier(source, lake, target, target)
    this.#begunAt = state.version
    this.#state = state
    this.#lag = { version: state.version, latestVersion: state.version, lagMs: 0 }
  }

  get followed(): Followed {
    return { ...this.#lag, state: this.#state, applied: this.#state.version - this.#begunAt }
  }

  /** Applies the versions that the log has now, or those before the signal. */
  async catchUp(signal: AbortSignal, report: (lag: Lag) => void): Promise<void> {
    const log = await DeltaLog.open(this.#source)
    this.#assertGoesOn(log)
    await assertUnchangedByOthers(this.#lake, this.#target, this.#state.id, REMEDY)
    this.#tell(log, report)
    if (log.latestVersion === this.#state.version) return
    const walk = this.#walk?.onward(log) ?? (await VersionWalk.startAt(log, this.#state.version))
    this.#walk = walk
    while (!signal.aborted) {
      const step = await walk.next(log.latestVersion)
      if (step === null) return
      this.#assertSameTable(step)
      this.#state = await this.#applier.apply(this.#state, step)
      this.#tell(log, report)
    }
  }

  #tell(log: DeltaLog, report: (lag: Lag) => void): void {
    this.#lag = lagOf(log, this.#state.version)
    report(this.#lag)
  }

  #assertGoesOn({ latestVersion }: DeltaLog): void {
    if (latestVersion >= this.#state.version) return
    throw this.#differs(`its log ends with version ${latestVersion} now`)
  }

  #assertSameTable({ after }: VersionStep): void {
    if (after.table.id === this.#state.source.tableId) return
    throw this.#differs(`version ${after.version} is of another table (${after.table.id})`)
  }

  #differs(why: string): LakeduelError {
    const { source, version } = this.#state
    return new LakeduelError(
      'MIGRATION_DIFFERS',
      `${source.uri} is not the table any more of which version ${version} was applied: ${why}.`,
      {
        facts: { ...this.#target, uri: source.uri, version },
        remedy: 'The table was made anew at that place. Migrate it to another name.',
      },
    )
  }
}

/** @param version that is applied */
export function lagOf({ latestVersion, listing }: DeltaLog, version: number): Lag {
  const next = listing.commits.get(version + 1)
  const lagMs = next === undefined ? 0 : Math.max(0, Date.now() - next.modifiedAtMs)
  return { version, latestVersion, lagMs }
}

async function waited(everyMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(everyMs, undefined, { signal })
    return true
  } catch {
    return false
  }
}
