import type { SyncOptions } from './options.ts'

/** What `lakeduel sync` itself takes: Node and the driver of Postgres. */
const OWN_BYTES = 128 * 2 ** 20
/** Of the rest, the extractor's share: it holds a batch once, where a merge holds rows of the table, too. */
const EXTRACTOR_SHARE = 3 / 11

export interface MemoryBudget {
  readonly extractorBytes: number | null
  readonly loaderBytes: number | null
}

/** Divides `--max-memory` over the pods; what was said of one of them in particular counts first. */
export function memoryBudgetOf({
  maxMemory = null,
  extractorMemory,
  loaderMemory,
  worker,
}: Pick<SyncOptions, 'maxMemory' | 'extractorMemory' | 'loaderMemory' | 'worker'>): MemoryBudget {
  if (maxMemory === null)
    return { extractorBytes: extractorMemory ?? null, loaderBytes: loaderMemory ?? null }
  const restBytes = Math.max(maxMemory - OWN_BYTES, Math.floor(maxMemory / 2))
  const extractorBytes = extractorMemory ?? (worker ? Math.floor(restBytes * EXTRACTOR_SHARE) : restBytes)
  return { extractorBytes, loaderBytes: loaderMemory ?? restBytes - extractorBytes }
}
