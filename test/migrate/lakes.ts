import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject } from 'vitest'
import { z } from 'zod'
import { type Lake, openLake } from '../../migrate/lake/lake.ts'
import { sqlName, type TableName } from '../../migrate/lake/table-name.ts'
import type { CatalogLocation } from '../../migrate/lake/target.ts'
import { type MoveOptions, moveTable, publishTable } from '../../migrate/move/move.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource, type SourceAccess } from '../../migrate/source/open.ts'
import { createS3Secret } from '../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier, literal } from '../../platform/duckdb/sql.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'

export type CatalogKind = CatalogLocation['kind']
export const CATALOGS: readonly CatalogKind[] = ['postgres', 'sqlite', 'duckdb']

const AUTO: MoveOptions = { mode: 'auto', asOf: null, own: false, history: null }

/** A place for catalogs and files that a test makes, removed after it. */
export class LakeRoom implements AsyncDisposable {
  readonly folder: string
  readonly #kernel: DuckDbSession
  readonly #schemas: string[] = []

  private constructor(folder: string, kernel: DuckDbSession) {
    this.folder = folder
    this.#kernel = kernel
  }

  static async open(): Promise<LakeRoom> {
    const { duckdbExtensions, s3 } = inject('services')
    const kernel = await DuckDbSession.open({
      extensionPaths: duckdbExtensions,
      extensions: ['httpfs', 'delta'],
      settings: { TimeZone: 'UTC' },
      secrets: [],
    })
    await createS3Secret(kernel, s3)
    return new LakeRoom(await mkdtemp(join(tmpdir(), 'lakeduel-lake-')), kernel)
  }

  /** Of sources and lakes; the object store only where the test needs it. */
  access(withS3 = false): SourceAccess {
    const { duckdbExtensions, s3 } = inject('services')
    return {
      duckdbExtensions,
      s3: withS3 ? s3 : null,
      scratchDir: this.folder,
      memoryLimitBytes: 500_000_000,
    }
  }

  /** A new catalog of that kind. */
  location(kind: CatalogKind): CatalogLocation {
    if (kind === 'postgres') return this.schema()
    return { kind, path: join(this.folder, `migrate_${randomUUID().slice(0, 8)}`) }
  }

  /** A new catalog in Postgres. */
  schema() {
    const name = `migrate_${randomUUID().slice(0, 8)}`
    this.#schemas.push(name)
    return { kind: 'postgres', access: inject('services').postgres, schema: name } as const
  }

  openLake(location: CatalogLocation, dataPath = join(this.folder, 'data'), withS3 = false): Promise<Lake> {
    return openLake(location, this.access(withS3), { dataPath, readOnly: false })
  }

  /** Moves a table and publishes it; null where that had been done before. */
  async move(lake: Lake, uri: string, target: TableName, options: Partial<MoveOptions> = {}, withS3 = false) {
    await using source = await openSource(parseLocation(uri), this.access(withS3), lake.session)
    const moved = await moveTable(source, lake, target, { ...AUTO, ...options }, () => undefined)
    if (moved !== null) await publishTable(lake, target, moved)
    return moved
  }

  /**
   * Holds a lake table against another reader's rows, both ways, with the columns' names and types.
   * @param relation of DuckDB: a scan of the Delta table, or of Parquet with what is expected
   * @param snapshot of the lake table; the last one unless it is given
   */
  async expectSame(lake: Lake, target: TableName, relation: string, snapshot?: number): Promise<void> {
    const table = `${sqlName(target)}${snapshot === undefined ? '' : ` AT (VERSION => ${snapshot})`}`
    const file = join(this.folder, `${randomUUID()}.parquet`)
    await lake.session.run(`COPY (FROM ${table}) TO ${literal(file)} (FORMAT parquet)`)
    const columns = await this.#kernel.columnsOf(`FROM ${relation}`)
    const names = columns.map(({ name }) => identifier(name)).join(', ')
    const [row] = await this.#kernel.query(
      z.object({ more: z.bigint(), fewer: z.bigint() }),
      `WITH lake AS (SELECT ${names} FROM ${literal(file)}), delta AS (SELECT ${names} FROM ${relation})
       SELECT (SELECT count(*) FROM (FROM lake EXCEPT ALL FROM delta)) AS more, (SELECT count(*) FROM (FROM delta EXCEPT ALL FROM lake)) AS fewer`,
    )
    expect(row).toEqual({ more: 0n, fewer: 0n })
    const stored = await lake.session.columnsOf(`FROM ${table}`)
    const described = (some: typeof columns) => some.map(({ name, type }) => `${name} ${type.toString()}`)
    // DuckLake adds columns at the end, so those of a version may be in another order.
    const ordered = (some: typeof columns) =>
      snapshot === undefined ? described(some) : described(some).toSorted()
    expect(ordered(stored)).toEqual(ordered(columns))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kernel.close()
    await withPostgres(inject('services').postgres, async (client) => {
      for (const schema of this.#schemas) await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
    })
    await rm(this.folder, { recursive: true })
  }
}

export function main(table: string): TableName {
  return { schema: 'main', table }
}

export function deltaScan(uri: string, version?: number): string {
  return `delta_scan(${literal(uri)}${version === undefined ? '' : `, version => ${version}`})`
}

/** The rows of a query of one column, in their order. */
export async function valuesOf(lake: Lake, query: string): Promise<readonly unknown[]> {
  const rows = await lake.session.query(z.record(z.string(), z.unknown()), query)
  return rows.map((row) => Object.values(row)[0])
}
