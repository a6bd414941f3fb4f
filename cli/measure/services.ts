import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Arm, BackendEnvironment } from '../../backends/backend.ts'
import { loadConfig } from '../../platform/config/load.ts'
import type { PostgresEndpoint, Storage } from '../../platform/endpoints.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { needsLocalMinio } from '../../platform/services/servers.ts'
import { type Services, startServices } from '../../platform/services/services.ts'
import { ensureSetup, type SetupResult } from '../../platform/setup/setup.ts'
import { Teardown } from '../../platform/teardown.ts'
import { ConnectionFaults } from '../../scenarios/import/connection-faults.ts'
import { type Contents, contentsOf } from '../../scenarios/import/contents.ts'
import { MAIN_FILE } from '../main-file.ts'

type S3Storage = Extract<Storage, { kind: 's3' }>

/** An object store and a Postgres for one measurement, and a database in it for each lake. */
export class MeasureServices implements AsyncDisposable {
  readonly postgres: PostgresEndpoint
  readonly storage: S3Storage
  /** The object store as syncs reach it. */
  readonly objectStore: ConnectionFaults
  readonly folder: string
  readonly #databases = new Set<string>()
  readonly #services: Services
  readonly #setup: SetupResult

  private constructor(
    services: Services,
    setup: SetupResult,
    storage: S3Storage,
    objectStore: ConnectionFaults,
    folder: string,
  ) {
    this.#services = services
    this.#setup = setup
    this.postgres = services.postgres
    this.storage = storage
    this.objectStore = objectStore
    this.folder = folder
  }

  static async start(signal: AbortSignal): Promise<MeasureServices> {
    const config = await loadConfig()
    const setup = await ensureSetup(config.home, {
      minio: await needsLocalMinio(config),
      engines: config.engines,
      signal,
    })
    const report = (text: string) => void process.stderr.write(`${text}\n`)
    const services = await startServices(config, {
      runId: `measure-${process.pid.toString(36)}`,
      signal,
      report,
    })
    const { storage } = services
    if (storage.kind !== 's3') throw new Error('measurements of the pipeline need an object store')
    const url = new URL(storage.endpoint.url)
    const faults = await ConnectionFaults.before(url.hostname, Number(url.port || 80))
    return new MeasureServices(
      services,
      setup,
      storage,
      faults,
      await mkdtemp(join(tmpdir(), 'lakeduel-measure-')),
    )
  }

  /** The interpreter that delta-rs runs in. */
  get python(): string {
    return this.#setup.sidecar.python
  }

  get duckdbExtensions(): SetupResult['duckdbExtensions'] {
    return this.#setup.duckdbExtensions
  }

  /** Makes a database, which is dropped at the end. */
  async create(database: string): Promise<void> {
    await withPostgres(this.postgres, (client) =>
      client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`),
    )
    this.#databases.add(database)
  }

  /** The variables by which a command works in a lake of its own, in a database that is made for it. */
  async variables(database: string): Promise<Readonly<Record<string, string>>> {
    await this.create(database)
    const { endpoint, bucket, prefix } = this.storage
    const { host, port, user, password } = this.postgres
    return {
      LAKEDUEL_S3_ENDPOINT: `http://127.0.0.1:${this.objectStore.port}`,
      LAKEDUEL_S3_ACCESS_KEY_ID: endpoint.accessKeyId,
      LAKEDUEL_S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
      LAKEDUEL_S3_BUCKET: bucket,
      LAKEDUEL_S3_PREFIX: `${prefix}${database}`,
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password,
      PGDATABASE: database,
    }
  }

  /** The flags by which a sync reads a database of this Postgres. */
  postgresSource(database: string): readonly string[] {
    const { host, port, user, password } = this.postgres
    const config = { host, port, user, password, database, schemas: ['public'] }
    const settings = Object.entries(config).map(([key, value]) => [
      '--set',
      `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
    ])
    return ['--source', 'postgres', ...settings.flat()]
  }

  /** What a lake table holds, by a fresh reader: rows, distinct keys, and a hash that doesn't depend on their order. */
  async contents(database: string, arm: Arm, table: string): Promise<Contents> {
    return await contentsOf(arm, this.#environment(database), table)
  }

  async drop(database: string): Promise<void> {
    await withPostgres(this.postgres, (client) =>
      client.query(`DROP DATABASE ${client.escapeIdentifier(database)} WITH (FORCE)`),
    )
    this.#databases.delete(database)
  }

  /** Postgres may be one that goes on when the measurement is over, so what was made in it is dropped. */
  async [Symbol.asyncDispose](): Promise<void> {
    const teardown = new Teardown()
    teardown.defer(() => rm(this.folder, { recursive: true, force: true }))
    teardown.defer(async () => this.#services[Symbol.asyncDispose]())
    teardown.defer(() => this.objectStore[Symbol.asyncDispose]())
    for (const database of this.#databases) teardown.defer(() => this.drop(database))
    await teardown[Symbol.asyncDispose]()
  }

  #environment(database: string): BackendEnvironment {
    return {
      storage: { ...this.storage, prefix: `${this.storage.prefix}${database}/lake/` },
      catalog: { postgres: { ...this.postgres, database }, schema: 'lakeduel_lake' },
      duckdbExtensions: this.duckdbExtensions,
      sidecar: null,
      scratchDir: this.folder,
      memoryBudgetBytes: null,
      threads: availableParallelism(),
    }
  }
}

/** The name of a database that no other measurement uses, were they to share a Postgres. */
export function measureDatabase(what: string): string {
  return `measure_${what}_${process.pid.toString(36)}`
}

/** The command line of this program, for a command of it as a child. */
export function lakeduelCommand(args: readonly string[]): {
  readonly file: string
  readonly args: readonly string[]
} {
  return { file: process.execPath, args: [MAIN_FILE, ...args] }
}
