import type { DuckDBConnection, DuckDBDataChunk, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { DuckDBInstance, version as duckDbVersion, JSDuckDBValueConverter } from '@duckdb/node-api'
import { z } from 'zod'
import { LakeduelError, messageOf } from '../errors.ts'
import { redact } from './redact.ts'
import { identifier, literal } from './sql.ts'

export interface SessionOptions {
  /** Paths of signed extension files by name. */
  readonly extensionPaths: Readonly<Record<string, string>>
  /** The extensions to load; each needs a path. */
  readonly extensions: readonly string[]
  /** DuckDB settings by name; those of an extension are set once it is loaded. */
  readonly settings: Readonly<Record<string, string | number | boolean>>
  /** Values that must never show in a message of this session. */
  readonly secrets: readonly string[]
}

export interface ResultColumn {
  readonly name: string
  readonly type: DuckDBType
}

/**
 * Unsigned extensions stay forbidden, and nothing is downloaded behind our back: the versions in use are those that
 * set-up pinned. `errors_as_json` is left off, since redaction works on plain text.
 */
const INSTANCE_CONFIG = {
  allow_unsigned_extensions: 'false',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
} as const

const changedRowsSchema = z.looseObject({ Count: z.bigint() })

/**
 * An in-memory DuckDB with one connection; statements of a session run one after the other, those of sessions that are
 * `beside` each other at once. Messages of its errors hold no secrets.
 */
export class DuckDbSession implements AsyncDisposable {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #options: SessionOptions
  readonly #beside: DuckDbSession[] = []

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, options: SessionOptions) {
    this.#instance = instance
    this.#connection = connection
    this.#options = options
  }

  /** @throws LakeduelError `TOOL_MISSING` for an extension without a path; {@link DuckDbError} where DuckDB refuses one */
  static async open(options: SessionOptions): Promise<DuckDbSession> {
    const instance = await DuckDBInstance.create(':memory:', { ...INSTANCE_CONFIG })
    const session = new DuckDbSession(instance, await instance.connect(), options)
    try {
      for (const name of options.extensions) {
        await session.run(`LOAD ${literal(extensionPath(options.extensionPaths, name))}`)
      }
      await session.#configure()
    } catch (error) {
      await session.close()
      throw error
    }
    return session
  }

  /** A session with the same database, extensions, secrets and settings, which this one closes. */
  async beside(): Promise<DuckDbSession> {
    const session = new DuckDbSession(this.#instance, await this.#instance.connect(), this.#options)
    this.#beside.push(session)
    await session.#configure()
    return session
  }

  async set(name: string, value: string | number | boolean): Promise<void> {
    await this.run(`SET ${identifier(name)} = ${typeof value === 'string' ? literal(value) : String(value)}`)
  }

  /** Runs a statement and returns the rows that it changed, where it tells. */
  async run(sql: string, values: readonly DuckDBValue[] = []): Promise<number> {
    const rows = await this.#read(sql, values)
    const changed = changedRowsSchema.safeParse(rows[0])
    return changed.success ? Number(changed.data.Count) : 0
  }

  /** Runs a query and parses each row; integers of 64 bits and more come as bigint. */
  async query<T>(row: z.ZodType<T>, sql: string, values: readonly DuckDBValue[] = []): Promise<readonly T[]> {
    return z.array(row).parse(await this.#read(sql, values))
  }

  /**
   * Yields the rows of a query as they are made, some at once, in the order of its columns; each row is converted when it is
   * taken, so that of rows that are wide only a few are values at a time. The session does nothing else until the last.
   */
  async *stream(sql: string): AsyncIterable<Iterable<readonly unknown[]>> {
    const result = await this.#guard(() => this.#connection.stream(sql))
    for (;;) {
      const chunk = await this.#guard(() => result.fetchChunk())
      if (chunk === null || chunk.rowCount === 0) return
      yield convertedRows(chunk)
    }
  }

  /** Runs an action in a transaction, which is rolled back when the action throws or its result is not worth a commit. */
  async transaction<T>(
    action: () => Promise<T>,
    isWorthCommit: (result: T) => boolean = () => true,
  ): Promise<T> {
    await this.run('BEGIN')
    try {
      const result = await action()
      await this.run(isWorthCommit(result) ? 'COMMIT' : 'ROLLBACK')
      return result
    } catch (error) {
      // A commit that failed has ended the transaction, and then there is nothing to roll back.
      await this.run('ROLLBACK').catch(() => undefined)
      throw error
    }
  }

  /** The versions of the loaded extensions that are files of their own, by name. */
  async extensionVersions(): Promise<Readonly<Record<string, string>>> {
    const rows = await this.query(
      z.object({ extension_name: z.string(), extension_version: z.string() }),
      `SELECT extension_name, extension_version FROM duckdb_extensions() WHERE loaded AND install_mode <> 'STATICALLY_LINKED'`,
    )
    return Object.fromEntries(rows.map((row) => [row.extension_name, row.extension_version]))
  }

  /** The names and types of a query's columns. */
  async columnsOf(query: string): Promise<readonly ResultColumn[]> {
    const result = await this.#guard(() => this.#connection.run(`FROM (${query}) LIMIT 0`))
    const types = result.columnTypes()
    return result.columnNames().flatMap((name, index) => {
      const type = types[index]
      return type === undefined ? [] : [{ name, type }]
    })
  }

  async close(): Promise<void> {
    for (const session of this.#beside) session.#connection.closeSync()
    this.#connection.closeSync()
    this.#instance.closeSync()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Some settings are the connection's, such as the time zone. */
  async #configure(): Promise<void> {
    for (const [name, value] of Object.entries(this.#options.settings)) await this.set(name, value)
  }

  async #read(sql: string, values: readonly DuckDBValue[]): Promise<readonly unknown[]> {
    // A statement without values isn't prepared first: maintenance functions of DuckLake bind in a transaction of their own,
    // which a prepared statement has left behind when it runs ("Scanning a DuckLake table after the transaction has ended").
    const reader = await this.#guard(() =>
      values.length === 0
        ? this.#connection.runAndReadAll(sql)
        : this.#connection.runAndReadAll(sql, [...values]),
    )
    return reader.getRowObjectsJS()
  }

  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw new DuckDbError(redact(messageOf(error), this.#options.secrets))
    }
  }
}

/**
 * What DuckDB said, secrets removed. It carries no `cause`, because the original message holds them.
 * Callers translate it to a {@link LakeduelError} by the table of their own folder.
 */
export class DuckDbError extends Error {
  override readonly name = 'DuckDbError'
}

export { duckDbVersion }

/** Vectors keep the values that were asked of them. A slice of one row is let go with its row, and so are wide texts. */
function* convertedRows(chunk: DuckDBDataChunk): Iterable<readonly unknown[]> {
  const vectors = Array.from({ length: chunk.columnCount }, (_, column) => chunk.getColumnVector(column))
  for (let row = 0; row < chunk.rowCount; row += 1) {
    yield vectors.map((vector) =>
      JSDuckDBValueConverter(vector.slice(row, 1).getItem(0), vector.type, JSDuckDBValueConverter),
    )
  }
}

function extensionPath(paths: Readonly<Record<string, string>>, name: string): string {
  const path = paths[name]
  if (path !== undefined) return path
  throw new LakeduelError('TOOL_MISSING', `The DuckDB extension ${name} has no file.`, {
    facts: { extension: name, known: Object.keys(paths) },
    remedy: 'Run `lakeduel doctor`, which tells where the extension files are looked for.',
  })
}
