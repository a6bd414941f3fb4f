import type { ReadLimits } from '../sources/source.ts'
import type { BatchLimits } from './batcher.ts'

const MIB = 1024 ** 2

/** What an extractor may hold, and how large what it writes may be. */
export interface ExtractLimits {
  readonly read: ReadLimits
  /** Rows that wait for others, as what they take in this process: their columns' types are settled together. */
  readonly bufferedBytes: number
  readonly batch: BatchLimits
  readonly parts: PartLimits
}

/** Of Arrow payload. A single row that is larger gets a row group, and a part, of its own. */
export interface PartLimits {
  readonly partPayloadBytes: number
  readonly rowGroupPayloadBytes: number
  readonly rowGroupRows: number
}

export const DEFAULT_LIMITS: ExtractLimits = {
  read: { readAheadBytes: 150 * MIB, pageRows: 20_000 },
  bufferedBytes: 200 * MIB,
  batch: { payloadBytes: 256 * MIB, rows: 500_000 },
  parts: { partPayloadBytes: 64 * MIB, rowGroupPayloadBytes: 16 * MIB, rowGroupRows: 131_072 },
}
