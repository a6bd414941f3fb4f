import { type ExtractLimits, limitsFor } from '../extract/limits.ts'
import type { ExtractRequest } from './protocol.ts'

/** What follows from the memory of the extractor, but for what was said otherwise. */
export function limitsOf({ memoryBytes, limits }: ExtractRequest): ExtractLimits {
  const { read, batch, ...others } = limitsFor(memoryBytes)
  return {
    ...others,
    read: {
      ...read,
      pageRows: limits.pageRows ?? read.pageRows,
      maxRowBytes: limits.maxRowBytes ?? read.maxRowBytes,
    },
    batch: {
      payloadBytes: limits.batchBytes ?? batch.payloadBytes,
      rows: limits.batchRows ?? batch.rows,
    },
  }
}
