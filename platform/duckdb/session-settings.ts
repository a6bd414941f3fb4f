import type { Storage } from '../endpoints.ts'

/** What everything that writes by DuckDB settles, whatever the format. */
export interface EngineSettings {
  readonly threads: number
  readonly memoryLimitBytes: number
  readonly uploadPartBytes: number
  readonly uploadThreads: number
  readonly externalFileCache: boolean
  readonly parquetMetadataCache: boolean
  readonly httpConnectionCaching: boolean
}

interface EngineEnvironment {
  readonly scratchDir: string
  readonly storage: Pick<Storage, 'kind'>
}

/** DuckDB counts upload parts by the largest file that it must be able to write in 10,000 of them. */
const PARTS_PER_FILE = 10_000

/** The settings as DuckDB names them. */
export function sessionSettings(
  settings: EngineSettings,
  environment: EngineEnvironment,
): Readonly<Record<string, string | number | boolean>> {
  return {
    threads: settings.threads,
    memory_limit: `${settings.memoryLimitBytes}B`,
    temp_directory: environment.scratchDir,
    // Byte-bounded row groups are refused otherwise, and nothing here depends on the order of rows.
    preserve_insertion_order: false,
    enable_external_file_cache: settings.externalFileCache,
    parquet_metadata_cache: settings.parquetMetadataCache,
    ...(environment.storage.kind === 's3' ? httpSettings(settings) : {}),
    // Timestamps with a zone are read and written in UTC, whatever zone the machine is in.
    TimeZone: 'UTC',
  }
}

function httpSettings(settings: EngineSettings): Readonly<Record<string, string | number | boolean>> {
  return {
    httpfs_connection_caching: settings.httpConnectionCaching,
    s3_uploader_max_filesize: `${settings.uploadPartBytes * PARTS_PER_FILE}B`,
    s3_uploader_thread_limit: settings.uploadThreads,
  }
}
