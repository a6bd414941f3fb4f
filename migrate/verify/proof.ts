import type { TableName } from '../lake/table-name.ts'
import type { Difference } from './compare.ts'
import type { RowDifferences } from './except.ts'
import type { FilterCheck } from './filters.ts'
import type { VersionVerdict } from './history.ts'

/** What one reader of the Delta table says of the lake table. */
export interface ReaderVerdict {
  readonly reader: string
  readonly outcome: 'same' | 'different' | 'could not read'
  readonly differences: readonly Difference[]
  /** Why it could not read. */
  readonly message: string | null
  readonly durationMs: number
}

/** The outcome of comparing a lake table with a version of a Delta table. */
export interface Proof {
  readonly passed: boolean
  /** What it came to, as a sentence. */
  readonly verdict: string
  readonly source: string
  readonly version: number
  readonly table: TableName
  readonly snapshot: number
  readonly checkedAt: string
  readonly software: Readonly<Record<string, string>>
  readonly rows: string
  readonly columns: readonly ProvedColumn[]
  readonly partitions: number
  readonly schema: readonly Difference[]
  readonly readers: readonly ReaderVerdict[]
  readonly filters: FilterCheck
  /** Null where rows weren't compared one by one. */
  readonly rowByRow: RowDifferences | null
  /** Of each version of a history; empty where there is none. */
  readonly history: readonly VersionVerdict[]
}

export interface ProvedColumn {
  readonly name: string
  readonly type: string
  readonly nulls: string
  readonly min: string | null
  readonly max: string | null
  readonly distinct: number | null
  readonly hash: string
}
