import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import pg from 'pg'
import { z } from 'zod'
import type { StagedPart } from '../../../backends/backend.ts'
import type { LakeType, ScalarKind } from '../../../backends/schema.ts'
import { createS3Secret, libpqDsn } from '../../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { identifier, literal } from '../../../platform/duckdb/sql.ts'
import type { PartTarget } from '../source.ts'
import type { PostgresConfig } from './config.ts'
import { sessionSettings, setConfigs } from './connection.ts'
import { type ReadOrder, whereOf } from './order.ts'
import { type Piece, VECTOR_ROWS } from './ranges.ts'
import type { PostgresTable, TableColumn } from './table.ts'

const MIB = 1024 * 1024
/** Of DuckDB's buffers. What it takes beyond them, and Node, are some 150 MiB more. */
const MEMORY_LIMIT_BYTES = 160 * MIB
/** The share of a pod's memory that they may have: what else the process does, and Node, have the rest. */
const MEMORY_SHARE = 0.25
/** S3 takes no smaller upload part. The size that DuckDB chooses follows from the largest file it is told of. */
const UPLOAD_PARTS = 10_000
const UPLOAD_PART_BYTES = 5 * MIB
const MAX_ROW_GROUP_ROWS = 122_880

const SQL_OF: Readonly<Record<ScalarKind, string>> = {
  bool: 'BOOLEAN',
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  string: 'VARCHAR',
  json: 'VARCHAR',
  binary: 'BLOB',
}

/** What a part is read from and written as. */
export interface ScanOptions {
  readonly table: PostgresTable
  readonly columns: readonly TableColumn[]
  readonly order: ReadOrder
  readonly target: PartTarget
}

/** DuckDB with its scanner of Postgres: each range of a piece on a connection of its own, all of them into one file. */
export class PartScanner implements AsyncDisposable {
  readonly #session: DuckDbSession
  readonly #config: PostgresConfig
  readonly #options: ScanOptions
  readonly #databases: readonly string[]

  private constructor(
    session: DuckDbSession,
    config: PostgresConfig,
    options: ScanOptions,
    databases: readonly string[],
  ) {
    this.#session = session
    this.#config = config
    this.#options = options
    this.#databases = databases
  }

  /** @param ranges how many of a piece are read at once */
  static async open(config: PostgresConfig, options: ScanOptions, ranges: number): Promise<PartScanner> {
    const { storage, duckdbExtensions, scratchDir, threads, memoryBudgetBytes } = options.target.environment
    const share = Math.floor((memoryBudgetBytes ?? Number.MAX_SAFE_INTEGER) * MEMORY_SHARE)
    const secrets = [config.password, ...(storage.kind === 's3' ? [storage.endpoint.secretAccessKey] : [])]
    const session = await DuckDbSession.open({
      extensionPaths: duckdbExtensions,
      extensions: storage.kind === 's3' ? ['httpfs', 'postgres_scanner'] : ['postgres_scanner'],
      settings: {
        threads,
        memory_limit: `${Math.min(MEMORY_LIMIT_BYTES, share)}B`,
        temp_directory: scratchDir,
        // Row groups are bounded by bytes only without it, and the ranges are written side by side.
        preserve_insertion_order: false,
        ...(storage.kind === 's3'
          ? {
              s3_uploader_max_parts_per_file: UPLOAD_PARTS,
              s3_uploader_max_filesize: `${UPLOAD_PARTS * UPLOAD_PART_BYTES}B`,
            }
          : {}),
      },
      secrets,
    })
    try {
      if (storage.kind === 's3') await createS3Secret(session, storage.endpoint)
      const databases = Array.from({ length: ranges }, (_, at) => `source_${at}`)
      await attach(session, config, databases)
      return new PartScanner(session, config, options, databases)
    } catch (error) {
      await session.close()
      throw error
    }
  }

  /** Writes the rows of a piece, as they are at this moment, as one Parquet file. */
  async stage(piece: Piece): Promise<StagedPart> {
    const uri = this.#options.target.nextUri()
    if (uri.startsWith('/')) await mkdir(dirname(uri), { recursive: true })
    const copy = `COPY (${this.#select(piece)}) TO ${literal(uri)} (FORMAT parquet, COMPRESSION zstd,
      ${rowGroupOptions(piece, this.#options.target)}, RETURN_STATS)`
    const [written] = await this.#session.transaction(async () => {
      for (const database of this.#databases.slice(0, piece.ranges.length)) await this.#setUp(database)
      return this.#session.query(writtenSchema, copy)
    })
    const rows = Number(written?.count ?? 0)
    const rowBytes = piece.payloadBytes / Math.max(1, piece.rows)
    return {
      uri,
      rows,
      bytes: Number(written?.file_size_bytes ?? 0),
      payloadBytes: Math.ceil(Math.max(piece.payloadBytes, rows * rowBytes)),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.close()
  }

  /** The first query of a transaction starts one in Postgres; what is set there ends with it. */
  async #setUp(database: string): Promise<void> {
    const settings = { ...sessionSettings(this.#config), enable_sort: 'off' }
    await this.#session.query(z.unknown(), queryOf(database, `SELECT ${setConfigs(settings)}`))
  }

  #select({ ranges }: Piece): string {
    const { table, columns, order, target } = this.#options
    const read = columns
      .map(({ name, mapping }, at) => `${mapping.partSql(pg.escapeIdentifier(name))} AS c${at}`)
      .join(', ')
    const values = columns.map((column, at) => {
      const name = target.columnNames.get(column.name) ?? column.name
      return `CAST(${checked(table, column, `c${at}`)} AS ${sqlOf(column.mapping.type)}) AS ${identifier(name)}`
    })
    return ranges
      .map((range, at) => {
        const query = `SELECT ${read} FROM ${table.sql}${whereOf(order, range)}`
        return `SELECT ${values.join(', ')} ${queryOf(this.#databases[at] ?? '', query)}`
      })
      .join(' UNION ALL ')
  }
}

const writtenSchema = z.object({ count: z.bigint(), file_size_bytes: z.bigint() })

/** The password comes from a secret, because errors and `duckdb_databases()` show the connection string. */
async function attach(
  session: DuckDbSession,
  config: PostgresConfig,
  databases: readonly string[],
): Promise<void> {
  await session.run(`CREATE SECRET lakeduel_source (TYPE postgres, PASSWORD ${literal(config.password)})`)
  const dsn = libpqDsn({
    host: config.host,
    port: String(config.port),
    user: config.user,
    dbname: config.database,
    sslmode: config.sslmode,
    ...(config.sslmode === 'verify-full' ? { sslrootcert: config.caFile ?? 'system' } : {}),
    fallback_application_name: 'lakeduel',
  })
  for (const database of databases) {
    await session.run(
      `ATTACH ${literal(dsn)} AS ${identifier(database)} (TYPE postgres, SECRET lakeduel_source, READ_ONLY)`,
    )
  }
}

function queryOf(database: string, sql: string): string {
  return `FROM postgres_query(${literal(database)}, ${literal(sql)})`
}

/**
 * A row group is closed once it has enough, after a whole vector: so it must be told a vector's rows and bytes less than
 * it may hold.
 */
function rowGroupOptions(
  { rows, payloadBytes, widestBytes }: Piece,
  { rowGroupPayloadBytes }: PartTarget,
): string {
  const fitting = (rowGroupPayloadBytes * Math.max(1, rows)) / Math.max(1, payloadBytes)
  const vectors = Math.floor(Math.min(MAX_ROW_GROUP_ROWS, fitting) / VECTOR_ROWS)
  const bytes = Math.max(1, rowGroupPayloadBytes - widestBytes * VECTOR_ROWS)
  return `ROW_GROUP_SIZE ${Math.max(1, vectors) * VECTOR_ROWS}, ROW_GROUP_SIZE_BYTES '${bytes}B'`
}

/** A key must not turn null on its way: `types.ts` says which values would. */
function checked(
  { name: table, key }: PostgresTable,
  { name, mapping }: TableColumn,
  column: string,
): string {
  const value = mapping.duckDbSql(column)
  if (!mapping.mayBecomeNull || !key.includes(name)) return value
  const message = `lakeduel: the key column "${name}" of table ${table} is infinite or NaN in a row`
  return `CASE WHEN (${value}) IS NULL THEN error(${literal(message)}) ELSE ${value} END`
}

function sqlOf(type: LakeType): string {
  if (type.kind === 'decimal') return `DECIMAL(${type.precision}, ${type.scale})`
  if (type.kind === 'list' || type.kind === 'struct') throw new TypeError(`Postgres yields no ${type.kind}`)
  return SQL_OF[type.kind]
}
