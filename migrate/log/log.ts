import { LakeduelError } from '../../platform/errors.ts'
import type { DeltaSource } from '../source/source.ts'
import type { ActionSet } from './actions.ts'
import { readCheckpoint } from './checkpoint.ts'
import { readActions } from './commit.ts'
import { brokenLog } from './errors.ts'
import { type Checkpoint, LOG_FOLDER, type LogListing, listLog } from './listing.ts'

/** One file of the log, or a checkpoint with all of its parts. */
export interface LogPart {
  readonly version: number
  /** Its key, for errors. */
  readonly key: string
  readonly read: () => Promise<ActionSet>
}

/**
 * The log of a Delta table, as it was listed once. Versions that are committed later aren't seen, so that whoever reads it
 * reads one table.
 *
 * Words: a **commit** is the JSON file of a version; a **checkpoint** is the whole state at a version, in one file (classic),
 * several (multi-part) or with **sidecars** (V2); a **compacted** file sums up a range of commits.
 */
export class DeltaLog {
  readonly source: DeltaSource
  readonly listing: LogListing
  readonly latestVersion: number

  private constructor(source: DeltaSource, listing: LogListing, latestVersion: number) {
    this.source = source
    this.listing = listing
    this.latestVersion = latestVersion
  }

  /** @throws LakeduelError `TABLE_NOT_FOUND` where there is no log */
  static async open(source: DeltaSource): Promise<DeltaLog> {
    const listing = await listLog(source.store)
    if (listing.latestVersion === null) throw noTable(source.uri)
    return new DeltaLog(source, listing, listing.latestVersion)
  }

  /** The oldest version whose state can still be put together. */
  get oldestVersion(): number {
    const starts = [
      ...this.listing.checkpoints.map(({ version }) => version),
      ...(this.listing.commits.has(0) ? [0] : []),
    ]
    return Math.min(...starts)
  }

  async commit(version: number): Promise<ActionSet> {
    return readActions(this.source.store, commitKey(version))
  }

  /**
   * What makes up a version, oldest first: a checkpoint where there is one, then commits.
   * @throws LakeduelError `USAGE` for a version that isn't there, `SOURCE_BROKEN` naming a commit that is missing
   */
  partsOf(version: number): readonly LogPart[] {
    this.#assertInRange(version)
    const checkpoint = this.listing.checkpoints.find((candidate) => candidate.version <= version)
    const from = checkpoint === undefined ? 0 : checkpoint.version + 1
    const start = checkpoint === undefined ? [] : [this.#checkpointPart(checkpoint)]
    return [...start, ...this.#commitParts(from, version)]
  }

  #checkpointPart(checkpoint: Checkpoint): LogPart {
    return {
      version: checkpoint.version,
      key: checkpoint.keys[0] ?? '',
      read: () => readCheckpoint(this.source, checkpoint),
    }
  }

  #commitParts(from: number, to: number): readonly LogPart[] {
    const parts: LogPart[] = []
    for (let version = from; version <= to; ) {
      const part = this.#partAt(version, to)
      parts.push(part)
      version = part.version + 1
    }
    return parts
  }

  /** The commit itself, or a compacted file that begins with it where it was cleaned up. */
  #partAt(version: number, to: number): LogPart {
    if (this.listing.commits.has(version)) {
      return { version, key: commitKey(version), read: () => this.commit(version) }
    }
    const compacted = this.listing.compacted
      .filter((candidate) => candidate.from === version && candidate.to <= to)
      .toSorted((a, b) => b.to - a.to)[0]
    if (compacted === undefined) {
      throw brokenLog(commitKey(version), `is missing, and version ${to} can't be put together without it`)
    }
    return {
      version: compacted.to,
      key: compacted.key,
      read: () => readActions(this.source.store, compacted.key),
    }
  }

  #assertInRange(version: number): void {
    if (version >= 0 && version <= this.latestVersion) return
    throw new LakeduelError('USAGE', `${this.source.uri} has no version ${version}.`, {
      facts: { uri: this.source.uri, version, latestVersion: this.latestVersion },
      remedy: `Its versions end with ${this.latestVersion}; \`lakeduel migrate inspect\` lists them.`,
    })
  }
}

export function commitKey(version: number): string {
  return `${LOG_FOLDER}${String(version).padStart(20, '0')}.json`
}

function noTable(uri: string): LakeduelError {
  return new LakeduelError('TABLE_NOT_FOUND', `There is no Delta table at ${uri}: it has no ${LOG_FOLDER}.`, {
    facts: { uri },
    remedy: 'Give the folder that holds _delta_log.',
  })
}
