import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import pg from 'pg'
import { z } from 'zod'
import type { StagedPart } from '../../../backends/backend.ts'
import { duckDbSqlOf } from '../../../backends/duckdb-sql.ts'
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

/** What a part is read from and written as. */
export interface ScanOptions {
  readonly table: PostgresTable
  readonly columns: readonly TableColumn[]
  readonly order: ReadOrder
  readonly target: PartTarget
}

/** So many DuckDBs at most, each of which stages one piece at a time; they are opened as they are needed. */
export class ScannerPool implements AsyncDisposable {
  readonly size: number
  readonly #open: () => Promise<PartScanner>
  readonly #idle: PartScanner[] = []
  readonly #busy = new Set<Promise<unknown>>()

  constructor(config: PostgresConfig, options: ScanOptions, size: number) {
    this.size = size
    this.#open = () => PartScanner.open(config, options, size)
  }

  /** Writes the rows of a piece, as they are at this moment, as one Parquet file. At most `size` at once. */
  async stage(piece: Piece): Promise<StagedPart> {
    const staging = this.#stage(piece)
    this.#busy.add(staging)
    try {
      return await staging
    } finally {
      this.#busy.delete(staging)
    }
  }

  /** Closing a DuckDB in the middle of a statement crashes the process, so what is under way is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#busy)
    for (const scanner of this.#idle) await scanner.close()
  }

  async #stage(piece: Piece): Promise<StagedPart> {
    const scanner = this.#idle.pop() ?? (await this.#open())
    try {
      return await scanner.stage(piece)
    } finally {
      this.#idle.push(scanner)
    }
  }
}

const DATABASE = 'source'

/** A DuckDB with its scanner of Postgres: one thread, since the scanner reads a query with one. */
class PartScanner {
  readonly #session: DuckDbSession
  readonly #config: PostgresConfig
  readonly #options: ScanOptions

  private constructor(session: DuckDbSession, config: PostgresConfig, options: ScanOptions) {
    this.#session = session
    this.#config = config
    this.#options = options
  }

  /** @param share how many of them divide the memory */
  static async open(config: PostgresConfig, options: ScanOptions, share: number): Promise<PartScanner> {
    const { storage, duckdbExtensions } = options.target.environment
    const secrets = [config.password, ...(storage.kind === 's3' ? [storage.endpoint.secretAccessKey] : [])]
    const session = await DuckDbSession.open({
      extensionPaths: duckdbExtensions,
      extensions: storage.kind === 's3' ? ['httpfs', 'postgres_scanner'] : ['postgres_scanner'],
      settings: settingsOf(options.target.environment, share),
      secrets,
    })
    try {
      if (storage.kind === 's3') await createS3Secret(session, storage.endpoint)
      await attach(session, config)
      return new PartScanner(session, config, options)
    } catch (error) {
      await session.close()
      throw error
    }
  }

  async stage(piece: Piece): Promise<StagedPart> {
    const uri = this.#options.target.nextUri()
    if (uri.startsWith('/')) await mkdir(dirname(uri), { recursive: true })
    const copy = `COPY (${this.#select(piece)}) TO ${literal(uri)} (FORMAT parquet, COMPRESSION zstd,
      ${rowGroupOptions(piece, this.#options.target)}, RETURN_STATS)`
    const [written] = await this.#session.transaction(async () => {
      // The first query of a transaction starts one in Postgres; what is set there ends with it.
      const settings = { ...sessionSettings(this.#config), enable_sort: 'off' }
      await this.#session.query(z.unknown(), queryOf(`SELECT ${setConfigs(settings)}`))
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

  close(): Promise<void> {
    return this.#session.close()
  }

  #select(piece: Piece): string {
    const { table, columns, order, target } = this.#options
    const read = columns
      .map(({ name, mapping }, at) => `${mapping.partSql(pg.escapeIdentifier(name))} AS c${at}`)
      .join(', ')
    const values = columns.map((column, at) => {
      const name = target.columnNames.get(column.name) ?? column.name
      return `CAST(${checked(table, column, `c${at}`)} AS ${duckDbSqlOf(column.mapping.type)}) AS ${identifier(name)}`
    })
    const query = `SELECT ${read} FROM ${table.sql}${whereOf(order, piece)}`
    return `SELECT ${values.join(', ')} ${queryOf(query)}`
  }
}

function settingsOf(
  { storage, scratchDir, memoryBudgetBytes }: PartTarget['environment'],
  share: number,
): Readonly<Record<string, string | number | boolean>> {
  const memory = Math.min(MEMORY_LIMIT_BYTES, (memoryBudgetBytes ?? Number.MAX_SAFE_INTEGER) * MEMORY_SHARE)
  return {
    threads: 1,
    memory_limit: `${Math.floor(memory / share)}B`,
    temp_directory: scratchDir,
    // Row groups are bounded by bytes only without it.
    preserve_insertion_order: false,
    ...(storage.kind === 's3'
      ? {
          s3_uploader_max_parts_per_file: UPLOAD_PARTS,
          s3_uploader_max_filesize: `${UPLOAD_PARTS * UPLOAD_PART_BYTES}B`,
        }
      : {}),
  }
}

const writtenSchema = z.object({ count: z.bigint(), file_size_bytes: z.bigint() })

/** The password comes from a secret, because errors and `duckdb_databases()` show the connection string. */
async function attach(session: DuckDbSession, config: PostgresConfig): Promise<void> {
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
  await session.run(
    `ATTACH ${literal(dsn)} AS ${DATABASE} (TYPE postgres, SECRET lakeduel_source, READ_ONLY)`,
  )
}

function queryOf(sql: string): string {
  return `FROM postgres_query(${literal(DATABASE)}, ${literal(sql)})`
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
