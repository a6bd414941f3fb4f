import { z } from 'zod'
import { literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from '../lake/lake.ts'
import { rangesName, sqlName, type TableName } from '../lake/table-name.ts'
import type { FilePlan } from '../plan/file-plan.ts'

/** Rows of the lake that data files were rewritten to, by their row ids, which stay when DuckLake compacts. */
export interface RewrittenRange {
  readonly start: bigint
  readonly rows: bigint
  /** The data files whose rows they are, by URI; which rows are whose isn't known. */
  readonly uris: readonly string[]
}

const rowSchema = z.object({ uri: z.string(), range_start: z.bigint(), range_rows: z.bigint() })

/**
 * Which rows of a lake table came from which rewritten data file, in a table beside it and committed with the rows: whoever
 * follows the Delta table must find them again when it removes the file. Registered files need no entry.
 */
export class RewrittenRanges {
  readonly #lake: Lake
  readonly #table: string

  constructor(lake: Lake, target: TableName) {
    this.#lake = lake
    this.#table = sqlName(rangesName(target))
  }

  /** In the open transaction, as are all others. */
  async create(): Promise<void> {
    await this.#lake.session.run(
      `CREATE TABLE ${this.#table} (uri VARCHAR, range_start BIGINT, range_rows BIGINT)`,
    )
  }

  async record(files: readonly FilePlan[], start: bigint, rows: bigint): Promise<void> {
    const values = files.map(({ file }) => `(${literal(file.uri)}, ${start}, ${rows})`)
    await this.#lake.session.run(`INSERT INTO ${this.#table} VALUES ${values.join(', ')}`)
  }

  /** The ranges that hold rows of any of the files. */
  async holding(uris: readonly string[]): Promise<readonly RewrittenRange[]> {
    if (uris.length === 0) return []
    const rows = await this.#lake.session.query(
      rowSchema,
      `SELECT uri, range_start, range_rows FROM ${this.#table}
       WHERE range_start IN (SELECT range_start FROM ${this.#table} WHERE uri IN (${uris.map(literal).join(', ')}))`,
    )
    return [...Map.groupBy(rows, ({ range_start }) => range_start)].map(([start, members]) => ({
      start,
      rows: members[0]?.range_rows ?? 0n,
      uris: members.map(({ uri }) => uri),
    }))
  }

  async forget(ranges: readonly RewrittenRange[]): Promise<void> {
    if (ranges.length === 0) return
    const starts = ranges.map(({ start }) => start).join(', ')
    await this.#lake.session.run(`DELETE FROM ${this.#table} WHERE range_start IN (${starts})`)
  }
}
