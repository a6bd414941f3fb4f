/** What the name of a file in `_delta_log/` says it is. */
export type LogFileName =
  | { readonly kind: 'commit'; readonly version: number }
  | { readonly kind: 'compacted'; readonly from: number; readonly to: number }
  | { readonly kind: 'checksum'; readonly version: number }
  | CheckpointName

export type CheckpointName =
  /** It may hold V2 content. */
  | { readonly kind: 'checkpoint'; readonly version: number }
  | {
      readonly kind: 'checkpoint-part'
      readonly version: number
      readonly part: number
      readonly parts: number
    }
  | { readonly kind: 'checkpoint-v2'; readonly version: number; readonly format: 'parquet' | 'json' }

const VERSION = String.raw`(\d{20})`
const COMMIT = new RegExp(`^${VERSION}\\.json$`)
const COMPACTED = new RegExp(`^${VERSION}\\.${VERSION}\\.compacted\\.json$`)
const CHECKSUM = new RegExp(`^${VERSION}\\.crc$`)
const CHECKPOINT = new RegExp(`^${VERSION}\\.checkpoint\\.parquet$`)
const CHECKPOINT_PART = new RegExp(`^${VERSION}\\.checkpoint\\.(\\d{10})\\.(\\d{10})\\.parquet$`)
const CHECKPOINT_V2 = new RegExp(`^${VERSION}\\.checkpoint\\.[0-9a-fA-F-]{36}\\.(parquet|json)$`)

/** Null for what is no part of the log: `_last_checkpoint`, temporary files, files of other tools. */
export function parseLogFileName(name: string): LogFileName | null {
  const commit = COMMIT.exec(name)
  if (commit !== null) return { kind: 'commit', version: Number(commit[1]) }
  const compacted = COMPACTED.exec(name)
  if (compacted !== null) return { kind: 'compacted', from: Number(compacted[1]), to: Number(compacted[2]) }
  const checksum = CHECKSUM.exec(name)
  if (checksum !== null) return { kind: 'checksum', version: Number(checksum[1]) }
  return parseCheckpointName(name)
}

function parseCheckpointName(name: string): CheckpointName | null {
  const classic = CHECKPOINT.exec(name)
  if (classic !== null) return { kind: 'checkpoint', version: Number(classic[1]) }
  const part = CHECKPOINT_PART.exec(name)
  if (part !== null) {
    return {
      kind: 'checkpoint-part',
      version: Number(part[1]),
      part: Number(part[2]),
      parts: Number(part[3]),
    }
  }
  const v2 = CHECKPOINT_V2.exec(name)
  if (v2 === null) return null
  return { kind: 'checkpoint-v2', version: Number(v2[1]), format: v2[2] === 'json' ? 'json' : 'parquet' }
}
