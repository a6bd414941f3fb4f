import { DuckDbSession } from '../../platform/duckdb/session.ts'

/** A DuckDB without any extension, for what SQL alone can show. */
export function plainSession(): Promise<DuckDbSession> {
  return DuckDbSession.open({
    extensionPaths: {},
    extensions: [],
    settings: { threads: 2, TimeZone: 'UTC' },
    secrets: [],
  })
}
