import type { StoredObject } from '../../platform/storage/object-store.ts'
import type { ReadableStore } from '../source/readable-store.ts'
import { type CheckpointName, parseLogFileName } from './file-names.ts'

export const LOG_FOLDER = '_delta_log/'

/** A checkpoint of which every part is there. */
export interface Checkpoint {
  readonly version: number
  /** Keys below the table's folder, in the order of the parts. */
  readonly keys: readonly string[]
  readonly format: 'parquet' | 'json'
}

/** What is in `_delta_log/`, by the files themselves: `_last_checkpoint` is only a hint, may be stale, and isn't read. */
export interface LogListing {
  readonly commits: ReadonlyMap<number, StoredObject>
  /** Complete ones, the newest first. */
  readonly checkpoints: readonly Checkpoint[]
  readonly compacted: readonly { readonly from: number; readonly to: number; readonly key: string }[]
  /** Versions with a `.crc` file. */
  readonly checksums: ReadonlyMap<number, StoredObject>
  /** Of the newest commit or checkpoint; null for an empty log. */
  readonly latestVersion: number | null
}

export async function listLog(store: ReadableStore): Promise<LogListing> {
  const commits = new Map<number, StoredObject>()
  const checksums = new Map<number, StoredObject>()
  const compacted: { from: number; to: number; key: string }[] = []
  const checkpoints: { readonly name: CheckpointName; readonly key: string }[] = []
  for (const object of await store.list(LOG_FOLDER)) {
    const name = parseLogFileName(object.key.slice(LOG_FOLDER.length))
    if (name === null) continue
    if (name.kind === 'commit') commits.set(name.version, object)
    else if (name.kind === 'checksum') checksums.set(name.version, object)
    else if (name.kind === 'compacted') compacted.push({ from: name.from, to: name.to, key: object.key })
    // A writer that died leaves an empty file, which can't be a checkpoint.
    else if (object.bytes > 0) checkpoints.push({ name, key: object.key })
  }
  const complete = completeCheckpoints(checkpoints)
  const latest = [...commits.keys(), ...complete.map(({ version }) => version)].reduce(
    (max, version) => Math.max(max, version),
    -1,
  )
  return { commits, checkpoints: complete, compacted, checksums, latestVersion: latest < 0 ? null : latest }
}

function completeCheckpoints(
  found: readonly { readonly name: CheckpointName; readonly key: string }[],
): readonly Checkpoint[] {
  const parts = new Map<
    string,
    { readonly version: number; readonly count: number; readonly keys: string[] }
  >()
  const single: Checkpoint[] = []
  for (const { name, key } of found) {
    if (name.kind !== 'checkpoint-part') {
      const format = name.kind === 'checkpoint-v2' ? name.format : 'parquet'
      single.push({ version: name.version, keys: [key], format })
      continue
    }
    const id = `${name.version}/${name.parts}`
    const set = parts.get(id) ?? { version: name.version, count: name.parts, keys: [] }
    set.keys.push(key)
    parts.set(id, set)
  }
  const whole = [...parts.values()]
    .filter(({ count, keys }) => keys.length === count)
    .map(({ version, keys }) => ({ version, keys: keys.toSorted(), format: 'parquet' as const }))
  return [...single, ...whole].toSorted((a, b) => b.version - a.version)
}
