import { LakeduelError } from '../../platform/errors.ts'
import type { DataFile } from '../log/data-file.ts'
import { assertReadable, readerFeatures } from '../log/features.ts'
import { type HistoryEntry, readHistory } from '../log/history.ts'
import { DeltaLog } from '../log/log.ts'
import { typeText } from '../log/schema.ts'
import { type DeltaSnapshot, readAnySnapshot } from '../log/snapshot.ts'
import type { DeltaSource } from '../source/source.ts'

/** A Delta table as `lakeduel migrate inspect` shows it. */
export interface Inspection {
  readonly uri: string
  readonly version: number
  /** The oldest version that can still be put together from the log. */
  readonly oldestVersion: number
  readonly id: string
  readonly name: string | null
  readonly description: string | null
  /** What keeps lakeduel from reading its rows, or null. */
  readonly unreadable: string | null
  readonly protocol: {
    readonly minReaderVersion: number
    readonly minWriterVersion: number
    readonly readerFeatures: readonly string[]
    readonly writerFeatures: readonly string[]
  }
  readonly columns: readonly ShownColumn[]
  readonly columnMapping: string
  readonly partitionColumns: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly files: FileFigures
  readonly log: {
    readonly commits: number
    readonly checkpoints: readonly number[]
    readonly compacted: number
  }
  readonly history: readonly HistoryEntry[]
}

interface ShownColumn {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly comment: string | null
}

interface FileFigures {
  readonly count: number
  readonly bytes: number
  readonly smallestBytes: number
  readonly medianBytes: number
  readonly largestBytes: number
  /** Live rows; null where some file has no statistics. */
  readonly rows: number | null
  readonly partitions: number
  readonly withDeletionVector: number
  readonly deletedRows: number
  /** Files that lie outside of the table's folder. */
  readonly elsewhere: number
}

/**
 * Shows any Delta table of which the log can be read.
 * @param historyLimit newest commits to tell of
 * @throws LakeduelError `TABLE_NOT_FOUND`, `SOURCE_BROKEN`, `USAGE` for a version that isn't there
 */
export async function inspectTable(
  source: DeltaSource,
  asOf: number | null,
  historyLimit: number,
): Promise<Inspection> {
  const log = await DeltaLog.open(source)
  const snapshot = await readAnySnapshot(log, asOf)
  const { table, protocol } = snapshot
  return {
    uri: source.uri,
    version: snapshot.version,
    oldestVersion: log.oldestVersion,
    id: table.id,
    name: table.name,
    description: table.description,
    unreadable: unreadableBecause(snapshot),
    protocol: {
      minReaderVersion: protocol.minReaderVersion,
      minWriterVersion: protocol.minWriterVersion,
      readerFeatures: readerFeatures(protocol),
      writerFeatures: protocol.writerFeatures ?? [],
    },
    columns: table.columns.map(({ name, type, nullable, metadata }) => ({
      name,
      type: typeText(type),
      nullable,
      comment: typeof metadata.comment === 'string' ? metadata.comment : null,
    })),
    columnMapping: table.columnMapping,
    partitionColumns: table.partitionColumns,
    properties: table.properties,
    files: figuresOf(snapshot.files),
    log: {
      commits: log.listing.commits.size,
      checkpoints: log.listing.checkpoints.map(({ version }) => version),
      compacted: log.listing.compacted.length,
    },
    history: await readHistory(log, historyLimit),
  }
}

function unreadableBecause({ uri, protocol }: DeltaSnapshot): string | null {
  try {
    assertReadable(uri, protocol)
    return null
  } catch (error) {
    if (error instanceof LakeduelError) return error.message
    throw error
  }
}

function figuresOf(files: readonly DataFile[]): FileFigures {
  const sizes = files.map(({ bytes }) => bytes).toSorted((a, b) => a - b)
  const vectors = files.flatMap(({ deletionVector }) => (deletionVector === null ? [] : [deletionVector]))
  const deletedRows = vectors.reduce((sum, { cardinality }) => sum + cardinality, 0)
  const known = files.every(({ rows }) => rows !== null)
  return {
    count: files.length,
    bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
    smallestBytes: sizes[0] ?? 0,
    medianBytes: sizes[Math.floor(sizes.length / 2)] ?? 0,
    largestBytes: sizes.at(-1) ?? 0,
    rows: known ? files.reduce((sum, { rows }) => sum + (rows ?? 0), 0) - deletedRows : null,
    partitions: new Set(files.map(({ partitionValues }) => JSON.stringify(partitionValues))).size,
    withDeletionVector: vectors.length,
    deletedRows,
    elsewhere: files.filter(({ key }) => key === null).length,
  }
}
