import { availableParallelism } from 'node:os'
import { createS3Secret, secretsOf } from '../../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { literal } from '../../../platform/duckdb/sql.ts'
import type { MeasureServices } from '../services.ts'

/** More than the migrator gives DuckDB: with that, COPY of 5 GB in 1 GiB fails, since its upload buffers take 76 MiB each. */
const COPY_SHARE = 0.5

interface Copy {
  /** Of the Delta table, whose files are all live. */
  readonly uri: string
  readonly maxMemoryBytes: number
  /** A folder below the services’ prefix, without a slash at its end. */
  readonly to: string
}

/** How long DuckDB takes to copy the files of a table, compressed as the migrator does and in row groups as large, in milliseconds. */
export async function copyByDuckDb(
  services: MeasureServices,
  { uri, maxMemoryBytes, to }: Copy,
): Promise<number> {
  const { bucket, prefix, endpoint } = services.storage
  await using session = await DuckDbSession.open({
    extensionPaths: services.duckdbExtensions,
    extensions: ['httpfs'],
    settings: {
      threads: availableParallelism(),
      memory_limit: `${Math.floor(maxMemoryBytes * COPY_SHARE)}B`,
      temp_directory: services.folder,
      preserve_insertion_order: false,
      enable_external_file_cache: false,
    },
    secrets: secretsOf(services.storage, services.postgres),
  })
  await createS3Secret(session, endpoint)
  const target = `s3://${bucket}/${prefix}${to}`
  const startedAt = performance.now()
  await session.run(
    `COPY (FROM read_parquet(${literal(`${uri}/*.parquet`)})) TO ${literal(target)}
      (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES '16MiB', FILE_SIZE_BYTES '512MiB')`,
  )
  return performance.now() - startedAt
}
