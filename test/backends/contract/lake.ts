import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import type { Arm, Backend, BackendEnvironment, TablePlace } from '../../../backends/backend.ts'
import { formatOf } from '../../../backends/backend.ts'
import { connectBackend } from '../../../backends/connect.ts'
import type { ColumnSpec, TableSpec } from '../../../backends/schema.ts'
import type { Storage } from '../../../platform/endpoints.ts'
import { uriOf } from '../../../platform/endpoints.ts'
import type { TestServices } from '../../services.ts'
import { connectTestEngine } from './engine.ts'
import type { Query } from './reader.ts'
import { readTable, tableQuery } from './reader.ts'
import type { Row } from './rows.ts'
import type { PartContent } from './staging.ts'
import { stagePart } from './staging.ts'
import { TestTable } from './table.ts'

type TestEngine = Awaited<ReturnType<typeof connectTestEngine>>

/**
 * A storage prefix and a catalog schema of one test file, with a backend on them that its tests share, since starting
 * an engine takes longer than most tests. Each test has tables of its own.
 */
export class TestLake implements AsyncDisposable {
  readonly arm: Arm
  readonly environment: BackendEnvironment
  readonly #staging: Storage
  readonly #engine: TestEngine
  readonly #backends: Backend[] = []
  readonly #tables: TestTable[] = []
  #shared: Promise<Backend> | undefined
  #parts = 0

  private constructor(arm: Arm, environment: BackendEnvironment, staging: Storage, engine: TestEngine) {
    this.arm = arm
    this.environment = environment
    this.#staging = staging
    this.#engine = engine
  }

  static async create(
    arm: Arm,
    storageKind: Storage['kind'],
    services: TestServices = inject('services'),
  ): Promise<TestLake> {
    const scratchDir = await mkdtemp(join(tmpdir(), 'lakeduel-contract-'))
    const id = randomUUID().slice(0, 8)
    const storageAt = (folder: string): Storage =>
      storageKind === 'local'
        ? { kind: 'local', root: join(scratchDir, folder) }
        : {
            kind: 's3',
            endpoint: services.s3,
            bucket: services.bucket,
            prefix: `${services.prefix}${id}/${folder}/`,
          }
    const environment: BackendEnvironment = {
      storage: storageAt('tables'),
      catalog: { postgres: services.postgres, schema: `contract_${id}` },
      duckdbExtensions: services.duckdbExtensions,
      sidecar: services.sidecar,
      scratchDir,
      memoryBudgetBytes: null,
      threads: 2,
    }
    // Parts lie beside the tables and not below them: maintenance removes the files there that no table knows.
    return new TestLake(arm, environment, storageAt('staged'), await connectTestEngine(environment))
  }

  /** The backend that the tests of a file share. */
  backend(): Promise<Backend> {
    this.#shared ??= this.connect()
    return this.#shared
  }

  /** Another backend of the same arm on the same tables, as a second process would have it. */
  async connect(settings: Readonly<Record<string, unknown>> = {}): Promise<Backend> {
    const backend = await connectBackend(this.arm, this.environment, settings)
    this.#backends.push(backend)
    return backend
  }

  /** A new and empty table with a name that no other test uses. */
  async createTable(definition: {
    readonly columns: readonly ColumnSpec[]
    readonly primaryKey?: readonly string[]
    readonly partitionBy?: string | null
    readonly shadowOf?: string
  }): Promise<TestTable> {
    const spec: TableSpec = {
      name: newTableName(),
      columns: definition.columns,
      primaryKey: definition.primaryKey ?? [],
      partitionBy: definition.partitionBy ?? null,
    }
    return this.openTable(spec, definition.shadowOf === undefined ? {} : { shadowOf: definition.shadowOf })
  }

  async openTable(spec: TableSpec, place: TablePlace = {}): Promise<TestTable> {
    const table = new TestTable(this, spec, await (await this.backend()).open(spec, place), place)
    this.#tables.push(table)
    return table
  }

  stage(content: Required<PartContent>) {
    return stagePart(this.#engine.connection, this.partUri(), content)
  }

  /** Where a part may lie; nothing is there yet. */
  partUri(): string {
    this.#parts += 1
    return uriOf(this.#staging, `part-${this.#parts}.parquet`)
  }

  read(spec: TableSpec): Promise<readonly Row[]> {
    return readTable(
      tableQuery(this.#engine.connection, this.environment, formatOf(this.arm), spec.name),
      spec,
    )
  }

  /** For queries of the table while something else happens to it, on a connection of their own. */
  async watch(spec: TableSpec): Promise<Query> {
    return tableQuery(await this.#engine.connect(), this.environment, formatOf(this.arm), spec.name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const table of this.#tables) await table.handle.close()
    for (const backend of this.#backends) await backend.close()
    this.#engine.close()
    await dropSchema(this.environment.catalog)
    await rm(this.environment.scratchDir, { recursive: true, force: true })
  }
}

async function dropSchema({ postgres, schema }: BackendEnvironment['catalog']): Promise<void> {
  const client = new pg.Client({ ...postgres, ssl: (postgres.sslmode ?? 'disable') !== 'disable' })
  await client.connect()
  await client.query(`DROP SCHEMA IF EXISTS ${client.escapeIdentifier(schema)} CASCADE`)
  await client.end()
}

/** A name that no other test uses. */
export function newTableName(): string {
  return `t_${randomUUID().replaceAll('-', '')}`
}

/** Gives the tests of the surrounding `describe` one lake. */
export function useLake(arm: Arm, storageKind: Storage['kind']): () => TestLake {
  let lake: TestLake | undefined
  beforeAll(async () => {
    lake = await TestLake.create(arm, storageKind)
  })
  afterAll(() => lake?.[Symbol.asyncDispose]())
  return () => {
    if (lake === undefined) throw new Error('the lake exists only while tests run')
    return lake
  }
}
