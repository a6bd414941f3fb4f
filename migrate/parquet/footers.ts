import { z } from 'zod'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { literalList } from '../../platform/duckdb/sql.ts'
import { unreadable } from './broken-file.ts'
import type { FilePattern } from './patterns.ts'
import { flatNodeSchema, type ParquetNode, parseParquetSchema } from './schema.ts'

/** What the footer of a data file tells, as far as a migration depends on it. */
export interface Footer {
  readonly uri: string
  readonly rows: number
  /** Of the file, as the storage has it. */
  readonly bytes: number
  readonly createdBy: string | null
  readonly encrypted: boolean
  /** Files with one schema share one object. */
  readonly schema: ParquetSchema
  /** Paths of leaves. */
  readonly statistics: {
    /** Texts and bytes whose bounds are of the deprecated kind, which orders bytes by their sign. */
    readonly signedBounds: readonly string[]
    /** Floats with bounds, which say nothing of NaN in files of other writers. */
    readonly floatBounds: readonly string[]
    /** Leaves of which some row group has no bounds though it has values. */
    readonly unbounded: readonly string[]
  }
}

export interface ParquetSchema {
  /** Equal for equal schemas. */
  readonly id: string
  readonly columns: readonly ParquetNode[]
}

/** Patterns in a query: bounds what DuckDB holds of footers at once. */
const PATTERNS_PER_QUERY = 500

const rowSchema = z.object({
  uri: z.string(),
  rows: z.bigint(),
  bytes: z.bigint(),
  created_by: z.string().nullable(),
  encrypted: z.boolean(),
  schema_id: z.string(),
  signed_bounds: z.array(z.string()),
  float_bounds: z.array(z.string()),
  unbounded: z.array(z.string()),
})

/** Reads footers, and keeps each schema once. Equal schemas of several calls are one object, too. */
export class FooterReader {
  readonly #session: DuckDbSession
  readonly #schemas = new Map<string, ParquetSchema>()

  constructor(session: DuckDbSession) {
    this.#session = session
  }

  /**
   * The footers of the files that patterns stand for, by URI. Files that a pattern matches beside the wanted ones come, too.
   * @throws LakeduelError `SOURCE_BROKEN` naming a file that is missing, cut short or no Parquet
   */
  async read(patterns: readonly FilePattern[]): Promise<ReadonlyMap<string, Footer>> {
    const footers = new Map<string, Footer>()
    for (let from = 0; from < patterns.length; from += PATTERNS_PER_QUERY) {
      const some = patterns.slice(from, from + PATTERNS_PER_QUERY)
      for (const footer of await this.#readSome(some)) footers.set(footer.uri, footer)
    }
    return footers
  }

  /** A pattern for many files may meet one that isn't the table's; then each wanted file is read for itself. */
  async #readSome(patterns: readonly FilePattern[]): Promise<readonly Footer[]> {
    try {
      return await this.#query(patterns.map(({ glob }) => glob))
    } catch (error) {
      const single = patterns.flatMap(({ files }) => files)
      if (patterns.length === 1 && single.length === 1) throw unreadable(single[0]?.uri ?? '', error)
      const footers: Footer[] = []
      for (const file of single) footers.push(...(await this.#readSome([{ glob: file.glob, files: [file] }])))
      return footers
    }
  }

  async #query(globs: readonly string[]): Promise<readonly Footer[]> {
    const session = this.#session
    await session.run(`CREATE OR REPLACE TEMP TABLE lakeduel_footer AS ${footerQuery(globs)}`)
    const rows = await session.query(rowSchema, 'SELECT * EXCLUDE (schema_json) FROM lakeduel_footer')
    await this.#learn(new Set(rows.map(({ schema_id }) => schema_id)))
    return rows.map((row) => this.#footerOf(row))
  }

  async #learn(ids: ReadonlySet<string>): Promise<void> {
    if ([...ids].every((id) => this.#schemas.has(id))) return
    const rows = await this.#session.query(
      z.object({ schema_id: z.string(), schema_json: z.string() }),
      'SELECT schema_id, any_value(schema_json) AS schema_json FROM lakeduel_footer GROUP BY schema_id',
    )
    for (const { schema_id: id, schema_json } of rows) {
      if (this.#schemas.has(id)) continue
      const flat = z.array(flatNodeSchema).parse(JSON.parse(schema_json))
      this.#schemas.set(id, { id, columns: parseParquetSchema(flat) })
    }
  }

  #footerOf(row: z.infer<typeof rowSchema>): Footer {
    const schema = this.#schemas.get(row.schema_id)
    if (schema === undefined) throw new Error(`the schema ${row.schema_id} has not been read`)
    return {
      uri: row.uri,
      rows: Number(row.rows),
      bytes: Number(row.bytes),
      createdBy: row.created_by,
      encrypted: row.encrypted,
      schema,
      statistics: {
        signedBounds: row.signed_bounds,
        floatBounds: row.float_bounds,
        unbounded: row.unbounded,
      },
    }
  }
}

/** All of it in one function, since each one that reads a footer opens the file. */
function footerQuery(globs: readonly string[]): string {
  const paths = (condition: string) =>
    `list_sort(list_distinct(list_transform(list_filter(parquet_metadata, lambda c: ${condition}), lambda c: c.path_in_schema)))`
  const bounded =
    'coalesce(c.stats_min_value, c.stats_min) IS NOT NULL AND coalesce(c.stats_max_value, c.stats_max) IS NOT NULL'
  return `
    SELECT f.file_name AS uri, f.num_rows AS rows, f.file_size_bytes::BIGINT AS bytes, f.created_by AS created_by,
      f.encryption_algorithm IS NOT NULL AS encrypted, md5(schema_json) AS schema_id, schema_json,
      ${paths(`c.type IN ('BYTE_ARRAY', 'FIXED_LEN_BYTE_ARRAY') AND c.stats_min IS NOT NULL AND c.stats_min_value IS NULL`)} AS signed_bounds,
      ${paths(`c.type IN ('FLOAT', 'DOUBLE') AND ${bounded}`)} AS float_bounds,
      ${paths(`NOT (${bounded}) AND c.stats_null_count IS DISTINCT FROM c.num_values`)} AS unbounded
    FROM (
      SELECT parquet_file_metadata[1] AS f, parquet_metadata,
        to_json(list_transform(parquet_schema, lambda s: struct_pack(
          "name" := s."name", "type" := s."type", repetition_type := s.repetition_type, num_children := s.num_children,
          converted_type := s.converted_type, "scale" := s."scale", "precision" := s."precision", field_id := s.field_id,
          logical_type := s.logical_type)))::VARCHAR AS schema_json
      FROM parquet_full_metadata(${literalList(globs)})
    )`
}
