import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { z } from 'zod'
import { type Arm, type BackendEnvironment, formatOf } from '../../../backends/backend.ts'
import { openReader, relationOf } from '../../../backends/reader.ts'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { openObjectStore } from '../../../platform/storage/object-store.ts'
import { lakeduel, serviceVariables } from '../../cli/lakeduel.ts'

/** A database and a prefix of the test's own, and the commands of the pipeline on them. */
export class TestLake implements AsyncDisposable {
  readonly folder: string
  readonly variables: Readonly<Record<string, string>>
  readonly #database: string
  readonly #prefix: string

  private constructor(folder: string, database: string) {
    const { bucket, prefix } = inject('services')
    this.folder = folder
    this.#database = database
    this.#prefix = `${prefix}${database}/`
    this.variables = {
      ...serviceVariables(),
      PGDATABASE: database,
      LAKEDUEL_S3_BUCKET: bucket,
      LAKEDUEL_S3_PREFIX: this.#prefix,
    }
  }

  static async open(): Promise<TestLake> {
    const folder = await mkdtemp(join(tmpdir(), 'lakeduel-test-'))
    const database = `lake_${randomUUID().replaceAll('-', '').slice(0, 12)}`
    await withPostgres(inject('services').postgres, (client) => client.query(`CREATE DATABASE ${database}`))
    return new TestLake(folder, database)
  }

  /** Runs a command to its end; it resolves whatever its exit code is. */
  run(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    return lakeduel(args, { ...this.variables, ...variables })
  }

  /** Writes the settings of a source, and returns the flags that name them. */
  async source(name: string, config: unknown): Promise<readonly string[]> {
    const path = join(this.folder, `${name}-${randomUUID().slice(0, 8)}.json`)
    await writeFile(path, JSON.stringify(config))
    return ['--source', name, '--source-config', path]
  }

  /** Rows, distinct values of a column, and an order-free hash over all columns, by a fresh reader. */
  async contents(arm: Arm, table: string, key = 'id'): Promise<Contents> {
    await using session = await openReader(formatOf(arm), this.environment())
    const relation = relationOf(formatOf(arm), this.environment(), table)
    const [contents] = await session.query(
      contentsSchema,
      `SELECT count(*) AS rows, count(DISTINCT lake_row."${key}") AS keys,
         coalesce(sum(hash(CAST(lake_row AS VARCHAR))::HUGEINT), 0)::VARCHAR AS hash FROM ${relation} AS lake_row`,
    )
    if (contents === undefined) throw new Error('an aggregate without a row')
    return contents
  }

  async query<T>(arm: Arm, row: z.ZodType<T>, sql: (relation: (table: string) => string) => string) {
    const environment = this.environment()
    await using session = await openReader(formatOf(arm), environment)
    return await session.query(
      row,
      sql((table) => relationOf(formatOf(arm), environment, table)),
    )
  }

  /** Objects below the lake's prefix. */
  async objects(prefix: string): Promise<readonly string[]> {
    const { s3, bucket } = inject('services')
    await using store = openObjectStore({ kind: 's3', endpoint: s3, bucket, prefix: this.#prefix })
    return (await store.list(prefix)).map(({ key }) => key)
  }

  environment(): BackendEnvironment {
    const { s3, bucket, postgres, duckdbExtensions, sidecar } = inject('services')
    return {
      storage: { kind: 's3', endpoint: s3, bucket, prefix: `${this.#prefix}lake/` },
      catalog: { postgres: { ...postgres, database: this.#database }, schema: 'lakeduel_lake' },
      duckdbExtensions,
      sidecar,
      scratchDir: this.folder,
      memoryBudgetBytes: null,
      threads: 2,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await withPostgres(inject('services').postgres, (client) =>
      client.query(`DROP DATABASE ${this.#database} WITH (FORCE)`),
    )
    await rm(this.folder, { recursive: true, force: true })
  }
}

const contentsSchema = z.object({ rows: z.bigint(), keys: z.bigint(), hash: z.string() })
export type Contents = z.infer<typeof contentsSchema>
