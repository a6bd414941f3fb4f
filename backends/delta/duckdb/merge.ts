import { DuckDbError } from '../../../platform/duckdb/session.ts'
import type { Storage } from '../../../platform/endpoints.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { deleteFiles } from '../../../platform/storage/files.ts'
import type { StagedBatch } from '../../backend.ts'
import { inspectBatch } from '../../duckdb/staged.ts'
import type { TableSpec } from '../../schema.ts'
import type { DeltaSettings } from '../settings.ts'
import type { LoadedBatch } from './batch.ts'
import { loadBatch } from './batch.ts'
import type { Job } from './jobs.ts'
import { planJobs } from './jobs.ts'
import { planMemory } from './memory.ts'
import type { Sessions } from './sessions.ts'
import { eachOnSessions } from './sessions.ts'
import type { DuckDbSettings } from './settings.ts'
import type { Touched } from './touched.ts'
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

/** Writes the files that an upsert makes; the table's log knows nothing of them yet. Null for a batch without rows. */
export async function merge(context: MergeContext, batch: StagedBatch): Promise<Merged | null> {
  const { sessions, schema, spec, settings, duckDbSettings } = context
  const [session] = sessions
  // A part may have been staged anew under its name; a file of the table never is.
  await session.set('enable_http_metadata_cache', false)
  const staged = await inspectBatch(session, spec, batch)
  if (staged === null) return null
  const rowGroupBytes = settings.rowGroupPayloadBytes
  const { memoryLimitBytes } = planMemory(duckDbSettings, [], staged.payloadBytes, rowGroupBytes)
  await session.set('memory_limit', `${memoryLimitBytes}B`)
  const loaded = await loadBatch(session, schema, spec, staged)
  await session.set('enable_http_metadata_cache', true)
  const startMs = performance.now()
  const touched = await ofVersion(context, () => findTouched(context, loaded))
  const probedMs = performance.now()
  const jobs = planJobs(loaded.partitions, touched.files, duckDbSettings.targetFileBytes)
  const memory = planMemory(duckDbSettings, jobs, staged.payloadBytes, rowGroupBytes)
  await session.set('memory_limit', `${memory.memoryLimitBytes}B`)
  const written = await writeAll(context, loaded, touched, jobs, memory.parallelJobs)
  const rowsWritten = written.reduce((sum, { rows }) => sum + rows, 0)
  return {
    ...outcomeOf(loaded, touched),
    written,
    engine: {
      filesProbed: touched.filesRead,
      filesAdded: written.length,
      filesRemoved: touched.files.length,
      rowsCopied: rowsWritten - loaded.distinctKeys,
      parallelJobs: memory.parallelJobs,
      probeMs: probedMs - startMs,
      rewriteMs: performance.now() - probedMs,
    },
  }
}

function outcomeOf(
  { partitions, distinctKeys }: LoadedBatch,
  { files, matchedKeys }: Touched,
): Omit<Merged, 'written' | 'engine'> {
  const textOf = new Map(partitions.map(({ index, text }) => [index, text]))
  return {
    partitions: partitions.map(({ text }) => text),
    replaced: files.map(({ path, bytes, partitionIndex }) => ({
      path,
      bytes,
      partition: textOf.get(partitionIndex) ?? null,
    })),
    rowsInserted: distinctKeys - matchedKeys,
    rowsUpdated: matchedKeys,
  }
}

async function writeAll(
  context: MergeContext,
  batch: LoadedBatch,
  touched: Touched,
  jobs: readonly Job[],
  parallelJobs: number,
): Promise<readonly WrittenFile[]> {
  const { uri, spec, sessions } = context
  const { threads } = context.duckDbSettings
  const rewrite = { ...context, batch, touched }
  const named = jobs.map((job) => ({ job, path: pathOf(job, spec) }))
  try {
    const results = await ofVersion(context, () =>
      eachOnSessions(sessions.slice(0, parallelJobs), threads, named, async (session, { job, path }) => ({
        path,
        file: await writeJob(session, rewrite, job, path),
      })),
    )
    const empty = results.filter(({ file }) => file === null)
    if (empty.length > 0)
      await deleteFiles(
        context.storage,
        empty.map(({ path }) => `${uri}/${path}`),
      )
    return results.flatMap(({ file }) => file ?? [])
  } catch (error) {
    // What failed keeps its error, even where its files can't be deleted.
    await deleteFiles(
      context.storage,
      named.map(({ path }) => `${uri}/${path}`),
    ).catch(() => undefined)
    throw error
  }
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
