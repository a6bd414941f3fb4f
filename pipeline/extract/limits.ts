import { constants } from 'node:buffer'
import type { ReadLimits } from '../sources/source.ts'
import type { BatchLimits } from './batcher.ts'

const MIB = 1024 ** 2

/** What an extractor may hold, and how large what it writes may be. */
export interface ExtractLimits {
  readonly read: ReadLimits
  /** Pages that were read ahead, as the bytes that they took on the way; as objects they are several times as large. */
  readonly waitingBytes: number
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
  // A row may be one text, and no text of V8 is longer.
  read: { readAheadBytes: 150 * MIB, pageRows: 20_000, maxRowBytes: constants.MAX_STRING_LENGTH },
  waitingBytes: 16 * MIB,
  bufferedBytes: 200 * MIB,
  batch: { payloadBytes: 256 * MIB, rows: 500_000 },
  parts: { partPayloadBytes: 64 * MIB, rowGroupPayloadBytes: 16 * MIB, rowGroupRows: 131_072 },
}

/** What the process takes before the first row: Node, the packages, the pieces of an upload. Measured: docs/decisions/007. */
const FLOOR_BYTES = 192 * MIB

/**
 * Divides a pod's memory. What is read ahead, the page in hand and what is buffered are there at the same time, each with the
 * garbage that it leaves behind until the next collection; and one row larger than all of that still has to pass, which takes
 * six times its bytes (texts beyond Latin-1 included), and a row that would take more has to be refused.
 * @param memoryBudgetBytes null where there is no cap
 */
export function limitsFor(memoryBudgetBytes: number | null): ExtractLimits {
  if (memoryBudgetBytes === null) return DEFAULT_LIMITS
  const free = Math.max(0, memoryBudgetBytes - FLOOR_BYTES)
  const share = (part: number, least: number, most: number) =>
    Math.round(Math.min(most, Math.max(least, free * part)))
  const { read, waitingBytes, bufferedBytes, batch, parts } = DEFAULT_LIMITS
  return {
    read: {
      ...read,
      readAheadBytes: share(1 / 8, 4 * MIB, read.readAheadBytes),
      maxRowBytes: share(1 / 6, 4 * MIB, read.maxRowBytes),
    },
    waitingBytes: share(1 / 96, MIB, waitingBytes),
    bufferedBytes: share(1 / 8, 4 * MIB, bufferedBytes),
    batch,
    parts: { ...parts, rowGroupPayloadBytes: share(1 / 24, 2 * MIB, parts.rowGroupPayloadBytes) },
  }
}
