import type { Table } from '../tables/table.ts'
import type { Statement } from './statement.ts'

/** One question and what the results say to it. */
export interface Answer {
  readonly question: string
  /** Null: the results hold nothing that answers it. */
  readonly sentence: Statement | null
  /** The figures behind it. */
  readonly figures: readonly Statement[]
  readonly tables: readonly Table[]
  /** Those that the answer draws on; one that the results lack is named as not measured. */
  readonly scenarios: readonly string[]
  /** What stays open though all of them were run. */
  readonly gaps: readonly string[]
}
