import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { z } from 'zod'
import type { BackendEnvironment } from '../../../../backends/backend.ts'
import type { PartTarget, SourceTable, StagedPage } from '../../../../pipeline/sources/source.ts'
import { uriOf } from '../../../../platform/endpoints.ts'
import { connectTestEngine } from '../../../backends/contract/engine.ts'

/** Where a test's parts go, and a DuckDB of its own to read them back. */
export class TestStaging implements AsyncDisposable {
  readonly environment: BackendEnvironment
  readonly #engine: Awaited<ReturnType<typeof connectTestEngine>>
  #parts = 0

  private constructor(
    environment: BackendEnvironment,
    engine: Awaited<ReturnType<typeof connectTestEngine>>,
  ) {
    this.environment = environment
    this.#engine = engine
  }

  static async create(kind: 's3' | 'local' = 's3'): Promise<TestStaging> {
    const services = inject('services')
    const id = randomUUID().slice(0, 8)
    const scratchDir = await mkdtemp(join(tmpdir(), 'lakeduel-staging-'))
    const environment: BackendEnvironment = {
      storage:
        kind === 'local'
          ? { kind, root: join(scratchDir, 'parts') }
          : { kind, endpoint: services.s3, bucket: services.bucket, prefix: `${services.prefix}${id}/` },
      catalog: { postgres: services.postgres, schema: 'unused' },
      duckdbExtensions: services.duckdbExtensions,
      sidecar: null,
      scratchDir,
      memoryBudgetBytes: null,
      threads: 2,
    }
    return new TestStaging(environment, await connectTestEngine(environment))
  }

  target(table: SourceTable, changes: Partial<PartTarget> = {}): PartTarget {
    return {
      environment: this.environment,
      nextUri: () => uriOf(this.environment.storage, `part-${(this.#parts += 1)}.parquet`),
      columnNames: new Map((table.columns ?? []).map(({ name }, at) => [name, `lake_${at}`])),
      partPayloadBytes: 64 * 1024 * 1024,
      rowGroupPayloadBytes: 16 * 1024 * 1024,
      partRows: 100_000,
      ...changes,
    }
  }

  /** The rows of some parts as texts, the lake's names taken back to those of the table. */
  async rowsOf(
    table: SourceTable,
    parts: readonly Pick<StagedPage, 'part'>[],
  ): Promise<readonly Readonly<Record<string, string | null>>[]> {
    if (parts.length === 0) return []
    const values = (table.columns ?? []).map(({ type }, at) => {
      const value = type?.kind === 'binary' ? `hex(lake_${at})` : `lake_${at}::VARCHAR`
      return `${value} AS c${at}`
    })
    const uris = parts.map(({ part }) => `'${part.uri}'`).join(', ')
    const result = await this.#engine.connection.runAndReadAll(
      `SELECT ${values.join(', ')} FROM read_parquet([${uris}], filename = true, file_row_number = true)`,
    )
    const rows = z.array(z.record(z.string(), z.string().nullable())).parse(result.getRowObjectsJson())
    return rows.map((row) =>
      Object.fromEntries((table.columns ?? []).map(({ name }, at) => [name, row[`c${at}`] ?? null])),
    )
  }

  /** Bytes of each row group, uncompressed. */
  async rowGroupsOf(parts: readonly Pick<StagedPage, 'part'>[]): Promise<readonly number[]> {
    const uris = parts.map(({ part }) => `'${part.uri}'`).join(', ')
    const result = await this.#engine.connection.runAndReadAll(
      `SELECT sum(total_uncompressed_size)::DOUBLE AS bytes FROM parquet_metadata([${uris}]) GROUP BY file_name, row_group_id`,
    )
    return z
      .array(z.object({ bytes: z.number() }))
      .parse(result.getRowObjectsJson())
      .map(({ bytes }) => bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#engine.close()
    await rm(this.environment.scratchDir, { recursive: true, force: true })
  }
}
