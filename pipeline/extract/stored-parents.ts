import { z } from 'zod'
import type { BackendEnvironment, Format } from '../../backends/backend.ts'
import { openReader, relationOf } from '../../backends/reader.ts'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier, literal, literalList } from '../../platform/duckdb/sql.ts'
import { messageOf } from '../../platform/errors.ts'
import type { JsonValue, ParentRows, Row } from '../sources/source.ts'

/** A parent table as it is stored, and what of it a nested table needs. */
export interface StoredParentsQuery {
  readonly format: Format
  readonly environment: BackendEnvironment
  readonly table: string
  readonly primaryKey: readonly string[]
  /** The lake's name of each column that the source asks for, by the source's name. */
  readonly columns: ReadonlyMap<string, string>
  /** Only parents that changed since; without it children are read again for parents that have not changed. */
  readonly changedSince: { readonly column: string; readonly value: JsonValue } | null
  /** With fewer stored rows than this, opening the table is dearer than listing the parents from the source. */
  readonly minStoredRows: number
}

/** Parents fetched at once. */
const CHUNK_ROWS = 1_000
const MEMORY_LIMIT = '128MB'
const countSchema = z.object({ rows: z.bigint() })
const rowSchema = z.record(z.string(), z.unknown())

/** The parents in the order of their key, on the disk where they are many; the lake's table may change meanwhile. */
const PARENTS = 'lakeduel_parents'

/** Rows of a stored parent table as of one moment, in the order of its key. */
export class StoredParents implements ParentRows, AsyncDisposable {
  readonly count: number
  readonly #session: DuckDbSession
  readonly #query: StoredParentsQuery

  private constructor(session: DuckDbSession, query: StoredParentsQuery, count: number) {
    this.#session = session
    this.#query = query
    this.count = count
  }

  /** Null where the table isn't there or has too few rows. */
  static async open(query: StoredParentsQuery): Promise<StoredParents | null> {
    const session = await openReader(query.format, query.environment)
    try {
      await session.set('memory_limit', MEMORY_LIMIT)
      const [stored] = await session.query(
        countSchema,
        `SELECT count(*) AS rows FROM ${relation(query)} WHERE ${changed(query)}`,
      )
      const count = Number(stored?.rows ?? 0n)
      if (count >= query.minStoredRows) {
        await copyParents(session, query)
        return new StoredParents(session, query, count)
      }
    } catch (error) {
      // A parent that was never synced is listed from the source; anything else must not pass for that.
      if (!/does not exist|no files in log segment|not a delta table|no such file/i.test(messageOf(error))) {
        await session.close()
        throw error
      }
    }
    await session.close()
    return null
  }

  async *read(after: JsonValue | null): AsyncIterable<{ readonly key: JsonValue; readonly row: Row }> {
    let position = await this.#positionAfter(after)
    for (;;) {
      const rows = await this.#session.query(
        rowSchema,
        `SELECT * FROM ${PARENTS} WHERE position > ${position} AND position <= ${position + CHUNK_ROWS} ORDER BY position`,
      )
      for (const row of rows)
        yield { key: z.array(z.string()).parse(row['parent_key']), row: sourceRow(row, this.#query) }
      position += CHUNK_ROWS
      if (rows.length < CHUNK_ROWS) return
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.close()
  }

  /** Found by order and not by presence, since a parent may be gone when its successor asks. */
  async #positionAfter(after: JsonValue | null): Promise<number> {
    if (after === null) return 0
    const [found] = await this.#session.query(
      z.object({ position: z.bigint().nullable() }),
      `SELECT max(position) AS position FROM ${PARENTS} WHERE parent_key <= ${literalList(z.array(z.string()).parse(after))}`,
    )
    return Number(found?.position ?? 0n)
  }
}

/** Ordered by the text of the key: any order does, as long as every process has the same one. */
async function copyParents(session: DuckDbSession, query: StoredParentsQuery): Promise<void> {
  const key = query.primaryKey.map((name) => `CAST(${identifier(name)} AS VARCHAR)`)
  const picked = [...query.columns.values()].map(identifier)
  await session.run(
    `CREATE TEMP TABLE ${PARENTS} AS
     SELECT row_number() OVER (ORDER BY parent_key) AS position, *
     FROM (SELECT [${key.join(', ')}] AS parent_key, ${picked.join(', ')} FROM ${relation(query)} WHERE ${changed(query)})`,
  )
}

function relation({ format, environment, table }: StoredParentsQuery): string {
  return relationOf(format, environment, table)
}

function changed({ changedSince }: StoredParentsQuery): string {
  if (changedSince === null) return 'true'
  const { column, value } = changedSince
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `(${identifier(column)} IS NULL OR ${identifier(column)} >= ${literal(text)})`
}

function sourceRow(row: Row, { columns }: StoredParentsQuery): Row {
  return Object.fromEntries([...columns].map(([sourceName, lakeName]) => [sourceName, row[lakeName]]))
}
