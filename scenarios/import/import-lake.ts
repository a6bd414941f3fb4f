import { randomBytes } from 'node:crypto'
import type { Arm, BackendEnvironment } from '../../backends/backend.ts'
import { within } from '../../platform/endpoints.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { deleteTree } from '../../platform/storage/tree.ts'
import { environmentOf } from '../runner/surroundings.ts'
import type { Lab } from '../scenario.ts'
import { DEFAULT_API_KEY } from '../stripe-server/options.ts'
import { type Contents, contentsOf } from './contents.ts'

/** A lake of a cell's own, in a database that is made for it: what `lakeduel sync` imports into. */
export class ImportLake implements AsyncDisposable {
  /** By which a command works in this lake. */
  readonly variables: Readonly<Record<string, string>>
  readonly #lab: Lab
  readonly #database: string
  readonly #prefix: string

  private constructor(lab: Lab, database: string) {
    const { storage, postgres } = lab.surroundings
    if (storage.kind !== 's3') throw new RangeError('imports are measured on an object store only')
    this.#lab = lab
    this.#database = database
    this.#prefix = `${storage.prefix}${database}`
    this.variables = {
      LAKEDUEL_S3_ENDPOINT: storage.endpoint.url,
      LAKEDUEL_S3_ACCESS_KEY_ID: storage.endpoint.accessKeyId,
      LAKEDUEL_S3_SECRET_ACCESS_KEY: storage.endpoint.secretAccessKey,
      LAKEDUEL_S3_BUCKET: storage.bucket,
      LAKEDUEL_S3_PREFIX: this.#prefix,
      LAKEDUEL_SOURCE_STRIPE_API_KEY: DEFAULT_API_KEY,
      PGHOST: postgres.host,
      PGPORT: String(postgres.port),
      PGUSER: postgres.user,
      PGPASSWORD: postgres.password,
      PGDATABASE: database,
    }
  }

  static async open(lab: Lab): Promise<ImportLake> {
    const database = `lakeduel_import_${randomBytes(5).toString('hex')}`
    await withPostgres(lab.surroundings.postgres, (client) => client.query(`CREATE DATABASE ${database}`))
    return new ImportLake(lab, database)
  }

  async contents(arm: Arm, table: string): Promise<Contents> {
    return await contentsOf(arm, this.#environment(), table)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { storage, postgres } = this.#lab.surroundings
    await deleteTree(within(storage, `${this.#database}/`))
    await withPostgres(postgres, (client) => client.query(`DROP DATABASE ${this.#database} WITH (FORCE)`))
  }

  #environment(): BackendEnvironment {
    const { surroundings } = this.#lab
    const place = {
      storage: within(surroundings.storage, `${this.#database}/lake/`),
      catalogSchema: 'lakeduel_lake',
    }
    const database = { ...surroundings.postgres, database: this.#database }
    return environmentOf({ ...surroundings, postgres: database }, place, null)
  }
}
