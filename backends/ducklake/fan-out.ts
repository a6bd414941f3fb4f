/**
 * Upserts into many partitions, for an object store that is some milliseconds away. DuckDB closes the files of a
 * partitioned write one after another, so 100 partitions are 100 round trips, whatever its threads. Here the files are
 * written to the scratch folder, uploaded side by side, and added to the catalog in the batch's transaction.
 */

import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { escapedGlob, identifier, literal, literalList } from '../../platform/duckdb/sql.ts'
import { uriOf } from '../../platform/endpoints.ts'
import { deleteFiles, putFiles } from '../../platform/storage/files.ts'
import type { StagedRows } from '../duckdb/staged.ts'
import { notNull } from '../duckdb/staged.ts'
import type { KeySurvey } from './keys.ts'
import { rowsOf } from './keys.ts'
import { fitToReads } from './memory.ts'
import { addition, dataFolder } from './register.ts'
import type { UpsertContext } from './strategy.ts'

/** What is the same in a folder's name and in a partition's value; the names of others are encoded. */
const PLAIN = /^[\w.-]+$/
const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__'

/** An upload holds up to 20 MiB of a file that is larger than that. */
const UPLOADS_OF_LARGE_FILES = 4
const LARGE_BYTES = 2 ** 20

/** Whether a batch goes to all of its partitions at once: to many, of an object store, and with plain values. */
export function fansOut({ lake, spec, settings }: UpsertContext, { partitionLiterals }: KeySurvey): boolean {
  return (
    lake.storage.kind === 's3' &&
    spec.partitionBy !== null &&
    PLAIN.test(spec.partitionBy) &&
    partitionLiterals !== null &&
    partitionLiterals.length >= settings.fanOutPartitions &&
    partitionLiterals.every((value) => PLAIN.test(value) && value !== NULL_FOLDER) &&
    // DuckLake names the children of nested columns by the Parquet file, and not always as its own files have them.
    spec.columns.every(({ type }) => type.kind !== 'list' && type.kind !== 'struct')
  )
}

/** Reads as many files at once as fit into memory, up to `fanOutThreads`. */
export async function withParallelReads<T>(
  { lake, settings }: UpsertContext,
  staged: StagedRows,
  action: () => Promise<T>,
): Promise<T> {
  const threads = await fitToReads(lake.aside, settings, staged, settings.fanOutThreads)
  // A session whose transaction has failed sets nothing any more.
  await lake.aside.set('threads', Math.max(settings.threads, threads))
  try {
    return await action()
  } finally {
    await lake.aside.set('threads', settings.threads)
  }
}

/** Inserts the rows of a batch (the last of each key) and returns the statements it took. */
export async function insertFannedOut(
  context: UpsertContext,
  staged: StagedRows,
  survey: KeySurvey,
): Promise<number> {
  const { lake, spec, settings, registered } = context
  const scratch = join(lake.scratchDir, `lakeduel-write-${randomUUID()}`)
  await mkdir(scratch)
  try {
    await writeFiles(context, staged, survey, scratch)
    const folder = await dataFolder(lake, spec.name)
    if (folder === null) throw new Error(`the path of table ${spec.name} is outside of the lake's`)
    const entries = await readdir(scratch, { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({ path, to: uriOf(lake.storage, `${folder}${relative(scratch, path)}`) }))
    const uris = files.map(({ to }) => to)
    const isLarge = staged.payloadBytes / Math.max(1, files.length) > LARGE_BYTES
    try {
      await putFiles(lake.storage, files, isLarge ? UPLOADS_OF_LARGE_FILES : settings.fanOutThreads)
      await withParallelReads(context, staged, () => addFiles(context, uris))
    } catch (error) {
      await deleteFiles(lake.storage, uris).catch(() => undefined)
      throw error
    }
    registered.push(...uris)
    return 1
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function writeFiles(
  { session, spec, settings }: UpsertContext,
  staged: StagedRows,
  survey: KeySurvey,
  folder: string,
): Promise<void> {
  const columns = spec.columns.map(({ name, nullable }) =>
    nullable ? identifier(name) : `${notNull(identifier(name), name)} AS ${identifier(name)}`,
  )
  const options = [
    'FORMAT parquet',
    `COMPRESSION ${literal(settings.compression)}`,
    `ROW_GROUP_SIZE_BYTES '${settings.rowGroupBytes}B'`,
    `PARTITION_BY (${identifier(spec.partitionBy ?? '')})`,
    'WRITE_PARTITION_COLUMNS true',
    `FILENAME_PATTERN 'lakeduel-{uuid}'`,
    'OVERWRITE_OR_IGNORE true',
  ]
  await session.run(
    `COPY (SELECT ${columns.join(', ')} FROM (${rowsOf(staged, staged.parts, survey)})) TO ${literal(folder)} (${options.join(', ')})`,
  )
}

/** DuckLake reads the footers of the files one after another, so they are read before, at once, and kept till then. */
async function addFiles(
  { lake, session, settings, spec }: UpsertContext,
  uris: readonly string[],
): Promise<void> {
  const globs = uris.map(escapedGlob)
  await withFilesKept(lake.aside, settings.externalFileCache, async () => {
    await session.run(`SELECT count(*) FROM parquet_file_metadata(${literalList(globs)})`)
    await session.run(addition(spec.name, globs, { areInHiveFolders: true }))
  })
}

async function withFilesKept(
  aside: DuckDbSession,
  areKeptAnyway: boolean,
  action: () => Promise<void>,
): Promise<void> {
  await aside.set('enable_http_metadata_cache', true)
  await aside.set('enable_external_file_cache', true)
  try {
    await action()
  } finally {
    await aside.set('enable_external_file_cache', areKeptAnyway)
    await aside.set('enable_http_metadata_cache', false)
  }
}
