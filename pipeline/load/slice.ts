import { mkdir } from 'node:fs/promises'
import { z } from 'zod'
import type { BackendEnvironment, StagedBatch, StagedPart } from '../../backends/backend.ts'
import { createS3Secret, secretsOf } from '../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../platform/duckdb/session.ts'
import { type EngineSettings, sessionSettings } from '../../platform/duckdb/session-settings.ts'
import { identifier, literal } from '../../platform/duckdb/sql.ts'
import type { Sliced } from './protocol.ts'

const MIB = 2 ** 20
const ROW_GROUP_BYTES = 16 * MIB
const DEFAULT_BUDGET_BYTES = 1024 * MIB
const MEMORY_LIMIT_SHARE = 0.5

/** One thread keeps the order of rows; one small piece of an upload at a time leaves the memory to the rows. */
const SLICING: Omit<EngineSettings, 'memoryLimitBytes'> = {
  threads: 1,
  uploadPartBytes: 5 * MIB,
  uploadThreads: 1,
  externalFileCache: false,
  parquetMetadataCache: false,
  httpConnectionCaching: true,
}

/** Rows of one part, counted from its first. */
interface PartRange {
  readonly part: StagedPart
  readonly fromRow: number
  readonly toRow: number
}

export interface SliceRequest {
  readonly batch: StagedBatch
  readonly fromRow: number
  readonly toRow: number
  /** A URI that ends in a slash. */
  readonly prefix: string
  readonly keyColumns: readonly string[]
}

/**
 * Some consecutive rows of a batch, in their order. Parts that lie within are taken as they are; of others the rows are
 * staged again. It reads with one thread, since the order of the rows decides which of two equal keys is the last.
 */
export async function sliceBatch(environment: BackendEnvironment, request: SliceRequest): Promise<Sliced> {
  await using session = await openSession(environment)
  const parts: StagedPart[] = []
  const ranges = rangesOf(request.batch.parts, request.fromRow, request.toRow)
  // An object store has no folders to make.
  if (environment.storage.kind === 'local') await mkdir(request.prefix, { recursive: true })
  for (const range of ranges) parts.push(await stageRange(session, range, request))
  const [first] = ranges
  return {
    batch: { parts },
    firstKey: first === undefined ? null : await keyOf(session, first, request.keyColumns),
  }
}

/** The parts that hold rows `fromRow` up to `toRow` of the batch. */
export function rangesOf(parts: readonly StagedPart[], fromRow: number, toRow: number): readonly PartRange[] {
  const ranges: PartRange[] = []
  let firstRow = 0
  for (const part of parts) {
    const from = Math.max(fromRow - firstRow, 0)
    const to = Math.min(toRow - firstRow, part.rows)
    if (from < to) ranges.push({ part, fromRow: from, toRow: to })
    firstRow += part.rows
  }
  return ranges
}

async function openSession(environment: BackendEnvironment): Promise<DuckDbSession> {
  const { storage, memoryBudgetBytes } = environment
  const memoryLimitBytes = Math.floor((memoryBudgetBytes ?? DEFAULT_BUDGET_BYTES) * MEMORY_LIMIT_SHARE)
  const session = await DuckDbSession.open({
    extensionPaths: environment.duckdbExtensions,
    extensions: storage.kind === 's3' ? ['httpfs'] : [],
    settings: sessionSettings({ ...SLICING, memoryLimitBytes }, environment),
    secrets: secretsOf(storage, environment.catalog.postgres),
  })
  if (storage.kind === 's3') await createS3Secret(session, storage.endpoint)
  return session
}

async function stageRange(
  session: DuckDbSession,
  { part, fromRow, toRow }: PartRange,
  { prefix }: SliceRequest,
): Promise<StagedPart> {
  const rows = toRow - fromRow
  if (rows === part.rows) return part
  const name = part.uri.slice(part.uri.lastIndexOf('/') + 1).replace(/\.parquet$/, '')
  const uri = `${prefix}${name}-rows-${fromRow}-${toRow}.parquet`
  await session.run(
    `COPY (SELECT * EXCLUDE (file_row_number) FROM ${scanOf(part)} WHERE ${withinRange(fromRow, toRow)}) TO ${literal(uri)}
      (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES '${ROW_GROUP_BYTES}B')`,
  )
  const [file] = await session.query(
    z.object({ bytes: z.bigint() }),
    `SELECT file_size_bytes::BIGINT AS bytes FROM parquet_file_metadata(${literal(uri)})`,
  )
  const share = rows / part.rows
  return {
    uri,
    rows,
    bytes: Number(file?.bytes ?? 0n),
    payloadBytes: Math.ceil(part.payloadBytes * share),
  }
}

/** The key as text, so that any type can be told to a person; null for a NULL. */
async function keyOf(
  session: DuckDbSession,
  { part, fromRow }: PartRange,
  keyColumns: readonly string[],
): Promise<Sliced['firstKey']> {
  if (keyColumns.length === 0) return null
  const columns = keyColumns.map((name) => `${identifier(name)}::VARCHAR AS ${identifier(name)}`)
  const [key] = await session.query(
    z.record(z.string(), z.string().nullable()),
    `SELECT ${columns.join(', ')} FROM ${scanOf(part)} WHERE ${withinRange(fromRow, fromRow + 1)}`,
  )
  return key ?? null
}

function scanOf(part: StagedPart): string {
  return `read_parquet(${literal(part.uri)}, hive_partitioning = false, file_row_number = true)`
}

function withinRange(fromRow: number, toRow: number): string {
  return `file_row_number >= ${fromRow} AND file_row_number < ${toRow}`
}
