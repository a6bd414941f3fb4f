import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { DuckDbError } from '../../../platform/duckdb/session.ts'
import type { Storage } from '../../../platform/endpoints.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { deleteFiles } from '../../../platform/storage/files.ts'
import type { KeyedMode, StagedBatch } from '../../backend.ts'
import { inspectBatch } from '../../duckdb/staged.ts'
import type { TableSpec } from '../../schema.ts'
import type { DeltaSettings } from '../settings.ts'
import type { LoadedBatch } from './batch.ts'
import { loadBatch, PLACE } from './batch.ts'
import type { BroughtRows } from './brought.ts'
import { broughtRows } from './brought.ts'
import { planJobs } from './jobs.ts'
import type { BatchSize } from './memory.ts'
import { memoryToLoad, planMemory } from './memory.ts'
import type { Sessions } from './sessions.ts'
import { eachOnSessions } from './sessions.ts'
import type { DuckDbSettings } from './settings.ts'
import type { Touched, TouchedFile } from './touched.ts'
import { findTouched } from './touched.ts'
import type { WrittenFile } from './write.ts'
import { pathOf, writeJob } from './write.ts'

/** What a merge works with: a schema of its own in DuckDB, and the table as it was at a version. */
export interface MergeContext {
  readonly sessions: Sessions
  readonly schema: string
  readonly storage: Storage
  readonly settings: DeltaSettings
  readonly duckDbSettings: DuckDbSettings
  /** With the columns that are stored. */
  readonly spec: TableSpec
  readonly uri: string
  readonly version: number
  readonly statisticsColumns: readonly string[]
  /** A folder of the merge's own, on this machine. */
  readonly scratchDir: string
  /** A Parquet file that lists the files of the version. */
  readonly listing: string
}

/** What is to be committed. */
export interface Merged {
  readonly partitions: readonly (string | null)[]
  readonly written: readonly WrittenFile[]
  readonly replaced: readonly {
    readonly path: string
    readonly bytes: number
    readonly partition: string | null
  }[]
  readonly rowsInserted: number
  readonly rowsUpdated: number
  readonly engine: Readonly<Record<string, number>>
}

/** Writes the files that a merge makes; the table's log knows nothing of them yet. Null for a batch without rows. */
export async function merge(
  context: MergeContext,
  mode: KeyedMode,
  batch: StagedBatch,
): Promise<Merged | null> {
  const [session] = context.sessions
  const loaded = await ofParts(session, () => load(context, mode, batch))
  if (loaded === null) return null
  const startMs = performance.now()
  const touched = await ofVersion(context, () => findTouched(context, loaded.batch))
  const probedMs = performance.now()
  const brought = await ofParts(session, () => bring(context, mode, loaded.batch, touched))
  const outcome = outcomeOf(mode, loaded.batch, touched)
  const { written, parallelJobs } = await writeAll(context, loaded, { touched, brought }, outcome.replaced)
  const rowsWritten = written.reduce((sum, { rows }) => sum + rows, 0)
  const { partitions } = loaded.batch
  const textOf = new Map(partitions.map(({ index, text }) => [index, text]))
  return {
    partitions: partitions.map(({ text }) => text),
    written,
    replaced: outcome.replaced.map(({ path, bytes, partitionIndex }) => ({
      path,
      bytes,
      partition: textOf.get(partitionIndex) ?? null,
    })),
    rowsInserted: outcome.rowsInserted,
    rowsUpdated: outcome.rowsUpdated,
    engine: {
      filesProbed: touched.filesRead,
      filesAdded: written.length,
      filesRemoved: outcome.replaced.length,
      rowsCopied: rowsWritten - outcome.rowsInserted - outcome.rowsUpdated,
      rowsMatched: touched.matchedRows,
      parallelJobs,
      probeMs: probedMs - startMs,
      rewriteMs: performance.now() - probedMs,
    },
  }
}

interface Loaded {
  readonly batch: LoadedBatch
  readonly size: BatchSize
}

async function load(
  { sessions, schema, spec, settings, duckDbSettings }: MergeContext,
  mode: KeyedMode,
  batch: StagedBatch,
): Promise<Loaded | null> {
  const [session] = sessions
  const staged = await inspectBatch(session, spec, batch)
  if (staged === null) return null
  const { payloadBytes, rows } = staged
  const isHeld = mode !== 'delete' && payloadBytes <= duckDbSettings.heldBatchBytes
  const heldBytes = Math.min(payloadBytes, duckDbSettings.heldBatchBytes)
  const size = { heldBytes, bytesPerRow: payloadBytes / rows }
  await session.set(
    'memory_limit',
    `${memoryToLoad(duckDbSettings, size, rows, settings.rowGroupPayloadBytes)}B`,
  )
  return { batch: await loadBatch(session, schema, spec, staged, isHeld), size }
}

/** The rows that a mode writes: all of an upsert, those with new keys of an insert, none of a delete. */
async function bring(
  { sessions, settings, scratchDir }: MergeContext,
  mode: KeyedMode,
  batch: LoadedBatch,
  { matches }: Touched,
): Promise<BroughtRows> {
  if (mode === 'delete') return new Map()
  const [session] = sessions
  if (mode === 'insert') {
    await session.run(`DELETE FROM ${batch.keys} WHERE ${PLACE} IN (SELECT ${PLACE} FROM ${matches})`)
  }
  return broughtRows(session, batch, settings.rowGroupPayloadBytes, scratchDir)
}

interface Outcome {
  readonly replaced: readonly TouchedFile[]
  readonly rowsInserted: number
  readonly rowsUpdated: number
}

function outcomeOf(mode: KeyedMode, { distinctKeys }: LoadedBatch, { files, matchedKeys }: Touched): Outcome {
  const rowsNew = distinctKeys - matchedKeys
  switch (mode) {
    case 'upsert':
      return { replaced: files, rowsInserted: rowsNew, rowsUpdated: matchedKeys }
    case 'insert':
      return { replaced: [], rowsInserted: rowsNew, rowsUpdated: 0 }
    case 'delete':
      return { replaced: files, rowsInserted: 0, rowsUpdated: 0 }
  }
}

interface WrittenFiles {
  readonly written: readonly WrittenFile[]
  readonly parallelJobs: number
}

async function writeAll(
  context: MergeContext,
  { batch, size }: Loaded,
  rows: { readonly touched: Touched; readonly brought: BroughtRows },
  replaced: readonly TouchedFile[],
): Promise<WrittenFiles> {
  const { storage, uri, spec, sessions, settings, duckDbSettings } = context
  const bringing = new Set(rows.brought.keys())
  const work = { partitions: batch.partitions, replaced, bringing }
  const jobs = planJobs(work, duckDbSettings.targetFileBytes)
  const memory = planMemory(duckDbSettings, jobs, size, settings.rowGroupPayloadBytes)
  await sessions[0].set('memory_limit', `${memory.memoryLimitBytes}B`)
  const rewrite = { ...context, ...rows }
  const named = jobs.map((job) => ({ job, path: pathOf(job, spec) }))
  const used = sessions.slice(0, memory.parallelJobs)
  try {
    const results = await ofVersion(context, () =>
      eachOnSessions(used, duckDbSettings.threads, named, async (session, { job, path }) => ({
        path,
        file: await writeJob(session, rewrite, job, path),
      })),
    )
    const empty = results.filter(({ file }) => file === null)
    if (empty.length > 0) await deleteFiles(storage, urisOf(uri, empty))
    const written = results.flatMap(({ file }) => file ?? [])
    return { written, parallelJobs: Math.min(used.length, jobs.length) }
  } catch (error) {
    // What failed keeps its error, even where its files can't be deleted.
    await deleteFiles(storage, urisOf(uri, named)).catch(() => undefined)
    throw error
  }
}

/** Of files that lie below a table. */
export function urisOf(uri: string, files: readonly { readonly path: string }[]): readonly string[] {
  return files.map(({ path }) => `${uri}/${path}`)
}

/** A part may have been staged anew under its name, so its length isn't kept; a file of a table never is. */
async function ofParts<T>(session: DuckDbSession, reading: () => Promise<T>): Promise<T> {
  await session.set('enable_http_metadata_cache', false)
  const result = await reading()
  await session.set('enable_http_metadata_cache', true)
  return result
}

/** A file of the version that isn't there any more was replaced by another writer, and removed by maintenance. */
async function ofVersion<T>({ spec, version }: MergeContext, reading: () => Promise<T>): Promise<T> {
  try {
    return await reading()
  } catch (error) {
    if (!(error instanceof DuckDbError) || !/\b404\b|no files found|no such file/i.test(error.message))
      throw error
    throw new LakeduelError(
      'COMMIT_CONFLICT',
      `A file of version ${version} of table ${spec.name} is gone: another writer has replaced it, and maintenance removed it.`,
      { facts: { table: spec.name, version }, remedy: 'Apply the batch again.', cause: error },
    )
  }
}
