import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { z } from 'zod'
import type { LakeType } from '../../../../backends/schema.ts'
import { ParquetFile } from '../../../../pipeline/extract/parquet/file.ts'
import { arrowRows } from '../../../../pipeline/extract/staging/arrow-batch.ts'
import { TextRoom } from '../../../../pipeline/extract/staging/layout.ts'

export interface WrittenColumn {
  readonly name: string
  readonly type: LakeType
  readonly cells: readonly unknown[]
}

/** Parquet files of this test, and DuckDB to read them. */
export class Written implements AsyncDisposable {
  readonly #folder: string
  readonly #connection: DuckDBConnection
  #files = 0

  private constructor(folder: string, connection: DuckDBConnection) {
    this.#folder = folder
    this.#connection = connection
  }

  static async open(): Promise<Written> {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
    await connection.run(`SET TimeZone = 'UTC'`)
    return new Written(await mkdtemp(join(tmpdir(), 'lakeduel-parquet-')), connection)
  }

  /** @param rowGroups the rows of each, in order; all in one where not given */
  async write(columns: readonly WrittenColumn[], rowGroups?: readonly number[]): Promise<string> {
    this.#files += 1
    const path = join(this.#folder, `${this.#files}.parquet`)
    const settled = columns.map((column) => ({ ...column, nullable: true, wraps: false }))
    const file = new ParquetFile(settled.map(({ name, type, nullable }) => ({ name, type, nullable })))
    await using handle = await open(path, 'w')
    await handle.write(file.start())
    let from = 0
    for (const rows of rowGroups ?? [columns[0]?.cells.length ?? 0]) {
      const { batch } = await arrowRows(settled, from, from + rows, new TextRoom())
      for await (const bytes of file.rowGroup(batch)) await handle.write(bytes)
      from += rows
    }
    await handle.write(file.end())
    return path
  }

  async query<T>(row: z.ZodType<T>, sql: string): Promise<readonly T[]> {
    const result = await this.#connection.runAndReadAll(sql)
    return z.array(row).parse(result.getRowObjectsJson())
  }

  /** Name and type of each column as DuckDB reads them. */
  async typesOf(path: string): Promise<Readonly<Record<string, string>>> {
    const rows = await this.query(
      z.object({ column_name: z.string(), column_type: z.string() }),
      `DESCRIBE FROM read_parquet('${path}')`,
    )
    return Object.fromEntries(rows.map((row) => [row.column_name, row.column_type]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.closeSync()
    await rm(this.#folder, { recursive: true })
  }
}
