import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { withPostgres } from '../../../platform/services/postgres/client.ts'

/** A Postgres database of the test's own to read from. */
export class SourceDatabase implements AsyncDisposable {
  readonly #name: string

  private constructor(name: string) {
    this.#name = name
  }

  static async open(...statements: readonly string[]): Promise<SourceDatabase> {
    const name = `source_${randomUUID().slice(0, 8)}`
    await withPostgres(inject('services').postgres, (client) => client.query(`CREATE DATABASE ${name}`))
    const database = new SourceDatabase(name)
    await database.run(...statements)
    return database
  }

  /** Flags of `lakeduel sync` that name it. */
  get flags(): readonly string[] {
    const { host, port, user, password } = inject('services').postgres
    const settings = { host, port, user, password, database: this.#name }
    return [
      '--source',
      'postgres',
      ...Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
    ]
  }

  async run(...statements: readonly string[]): Promise<void> {
    await withPostgres({ ...inject('services').postgres, database: this.#name }, async (client) => {
      for (const statement of statements) await client.query(statement)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await withPostgres(inject('services').postgres, (client) =>
      client.query(`DROP DATABASE ${this.#name} WITH (FORCE)`),
    )
  }
}
