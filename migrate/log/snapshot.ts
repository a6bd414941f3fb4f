import { messageOf } from '../../platform/errors.ts'
import type { MetadataAction, ProtocolAction } from './actions.ts'
import type { DataFile } from './data-file.ts'
import { brokenLog } from './errors.ts'
import { assertReadable, columnMappingOf } from './features.ts'
import { commitKey, type DeltaLog } from './log.ts'
import { TableState } from './replay.ts'
import { type ColumnMapping, type DeltaField, parseSchema } from './schema.ts'

/** A Delta table at one version. */
export interface DeltaSnapshot {
  readonly uri: string
  readonly version: number
  readonly protocol: ProtocolAction
  readonly table: TableMetadata
  readonly files: readonly DataFile[]
  /** The last version of each writer that names its transactions. */
  readonly transactions: ReadonlyMap<string, number>
  readonly domains: ReadonlyMap<string, string>
}

export interface TableMetadata {
  readonly id: string
  readonly name: string | null
  readonly description: string | null
  readonly columns: readonly DeltaField[]
  readonly columnMapping: ColumnMapping
  /** Logical names. */
  readonly partitionColumns: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly createdAtMs: number | null
}

/**
 * Reads a version of a table: the latest where none is named.
 * @throws LakeduelError `SOURCE_BROKEN`, `SOURCE_UNSUPPORTED`, `USAGE` for a version that isn't there
 */
export async function readSnapshot(log: DeltaLog, asOf: number | null): Promise<DeltaSnapshot> {
  const snapshot = await readAnySnapshot(log, asOf)
  assertReadable(snapshot.uri, snapshot.protocol)
  return snapshot
}

/** As {@link readSnapshot}, also of a table whose rows can't be read: only to show what the log says. */
export async function readAnySnapshot(log: DeltaLog, asOf: number | null): Promise<DeltaSnapshot> {
  const version = asOf ?? log.latestVersion
  const state = new TableState(log.source.storage)
  for (const part of log.partsOf(version)) state.apply(await part.read(), part.key)
  return snapshotOf(log, version, state)
}

/** @throws LakeduelError `SOURCE_BROKEN` */
export function snapshotOf(log: DeltaLog, version: number, state: TableState): DeltaSnapshot {
  const { protocol, metadata, files, transactions, domains } = state
  const where = commitKey(version)
  if (protocol === null) throw brokenLog(where, 'and all before it name no protocol')
  if (metadata === null) throw brokenLog(where, 'and all before it name no metaData')
  assertUniquePaths(files, where)
  return {
    uri: log.source.uri,
    version,
    protocol,
    table: tableOf(metadata, protocol, where),
    files,
    transactions: new Map(transactions),
    domains: new Map(domains),
  }
}

function tableOf(metadata: MetadataAction, protocol: ProtocolAction, where: string): TableMetadata {
  const columnMapping = columnMappingOf(protocol, metadata.configuration)
  if (metadata.format.provider !== 'parquet') {
    throw brokenLog(where, `says that the data files are ${metadata.format.provider}, not Parquet`)
  }
  return {
    id: metadata.id,
    name: metadata.name ?? null,
    description: metadata.description ?? null,
    columns: columnsOf(metadata, columnMapping, where),
    columnMapping,
    partitionColumns: metadata.partitionColumns,
    properties: metadata.configuration,
    createdAtMs: metadata.createdTime ?? null,
  }
}

function columnsOf(metadata: MetadataAction, mapping: ColumnMapping, where: string): readonly DeltaField[] {
  const columns = parsedColumns(metadata.schemaString, mapping, where)
  const names = new Set(columns.map(({ name }) => name))
  const unknown = metadata.partitionColumns.find((name) => !names.has(name))
  if (unknown !== undefined) throw brokenLog(where, `partitions by "${unknown}", which is no column`)
  return columns
}

function parsedColumns(schemaString: string, mapping: ColumnMapping, where: string): readonly DeltaField[] {
  try {
    return parseSchema(schemaString, mapping)
  } catch (cause) {
    throw brokenLog(where, `holds metaData that can't be read: ${messageOf(cause)}`, cause)
  }
}

function assertUniquePaths(files: readonly DataFile[], where: string): void {
  const seen = new Set<string>()
  for (const { uri } of files) {
    if (seen.has(uri)) throw brokenLog(where, `leaves ${uri} in the table twice, with two deletion vectors`)
    seen.add(uri)
  }
}
