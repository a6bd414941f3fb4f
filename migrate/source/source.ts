import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import type { Storage } from '../../platform/endpoints.ts'
import type { ReadableStore } from './readable-store.ts'

/** A Delta table as it is reached; nothing of it has been read yet. */
export interface DeltaSource {
  /** As engines name it, without a trailing slash. */
  readonly uri: string
  /** Its root is the table's folder. */
  readonly storage: Storage
  readonly store: ReadableStore
  /** Reads Parquet of the storage; in UTC. */
  readonly session: DuckDbSession
}
