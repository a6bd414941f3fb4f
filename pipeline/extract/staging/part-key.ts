import { randomUUID } from 'node:crypto'
import type { Lease } from '../../state/leases.ts'

/**
 * A key that no part has yet, nor will have: an extractor begins anew under the lease that it has when the store was away,
 * and another under a lease of its own while this one is thought dead. A part that either wrote over would be loaded in the
 * place of rows that were recorded before.
 */
export function newPartKey({ token }: Lease): string {
  return `e${token}-${randomUUID()}.parquet`
}
