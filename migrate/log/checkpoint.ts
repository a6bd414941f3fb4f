import { DuckDBStructType, type DuckDBType, SQLNULL } from '@duckdb/node-api'
import type { DuckDbSession, ResultColumn } from '../../platform/duckdb/session.ts'
import { escapedGlob, identifier, literal } from '../../platform/duckdb/sql.ts'
import { uriOf } from '../../platform/endpoints.ts'
import { messageOf } from '../../platform/errors.ts'
import type { DeltaSource } from '../source/source.ts'
import { ACTION_NAMES, type ActionName, ActionSet } from './actions.ts'
import { readActions } from './commit.ts'
import { brokenLog } from './errors.ts'
import { resolveFilePath } from './file-path.ts'
import { type Checkpoint, LOG_FOLDER } from './listing.ts'

const SIDECAR_FOLDER = `${LOG_FOLDER}_sidecars/`

/** What is read of each action; `stats_parsed` alone is taken where the statistics aren't kept as JSON. */
const FIELDS: Readonly<Partial<Record<ActionName, readonly string[]>>> = {
  add: [
    'path',
    'partitionValues',
    'size',
    'modificationTime',
    'dataChange',
    'stats',
    'deletionVector',
    'baseRowId',
  ],
  metaData: [
    'id',
    'name',
    'description',
    'format',
    'schemaString',
    'partitionColumns',
    'configuration',
    'createdTime',
  ],
  protocol: ['minReaderVersion', 'minWriterVersion', 'readerFeatures', 'writerFeatures'],
  txn: ['appId', 'version'],
  domainMetadata: ['domain', 'configuration', 'removed'],
  sidecar: ['path', 'sizeInBytes'],
}

/**
 * The actions of a checkpoint, those of its sidecars included; `remove`s are tombstones and left out.
 * @throws LakeduelError `SOURCE_BROKEN` naming the part or sidecar that is missing or unreadable
 */
export async function readCheckpoint(source: DeltaSource, checkpoint: Checkpoint): Promise<ActionSet> {
  const actions =
    checkpoint.format === 'json'
      ? await readActions(source.store, checkpoint.keys[0] ?? '')
      : await readParquet(source, new ActionSet(), checkpoint.keys)
  const sidecars = actions.sidecars.map(
    ({ path }) => resolveFilePath(source.storage, SIDECAR_FOLDER, path, checkpoint.keys[0] ?? '').uri,
  )
  return readParquetUris(source, actions, sidecars)
}

function readParquet(source: DeltaSource, actions: ActionSet, keys: readonly string[]): Promise<ActionSet> {
  return readParquetUris(
    source,
    actions,
    keys.map((key) => uriOf(source.storage, key)),
  )
}

async function readParquetUris(
  { session }: DeltaSource,
  actions: ActionSet,
  uris: readonly string[],
): Promise<ActionSet> {
  for (const uri of uris) {
    try {
      await readOne(session, actions, uri)
    } catch (cause) {
      throw brokenLog(uri, `can't be read as a checkpoint: ${messageOf(cause).split('\n')[0]}`, cause)
    }
  }
  return actions
}

async function readOne(session: DuckDbSession, actions: ActionSet, uri: string): Promise<void> {
  const relation = `read_parquet(${literal(escapedGlob(uri))}, hive_partitioning = false)`
  const columns = await session.columnsOf(`SELECT * FROM ${relation}`)
  const wanted = ACTION_NAMES.flatMap((name) =>
    selection(
      name,
      columns.find((column) => column.name === name),
    ),
  )
  if (wanted.length === 0) throw new Error('it has no column of a checkpoint')
  for (const { name, sql } of wanted) {
    const query = `SELECT to_json(${sql})::VARCHAR FROM ${relation} WHERE ${identifier(name)} IS NOT NULL`
    for await (const rows of session.stream(query)) {
      for (const [json] of rows) actions.take(name, JSON.parse(String(json)))
    }
  }
}

function selection(
  name: ActionName,
  column: ResultColumn | undefined,
): readonly { readonly name: ActionName; readonly sql: string }[] {
  const fields = FIELDS[name]
  if (fields === undefined || !(column?.type instanceof DuckDBStructType)) return []
  const present = fieldsOf(column.type)
  const parts = fields
    .filter((field) => present.has(field))
    .map((field) => `${identifier(field)} := ${identifier(name)}.${identifier(field)}`)
  const statistics = name === 'add' ? parsedStatistics(present) : null
  const others = statistics === null ? parts : parts.filter((part) => !part.startsWith('"stats" '))
  return [{ name, sql: `struct_pack(${[...others, ...(statistics ?? [])].join(', ')})` }]
}

/** Where a checkpoint keeps statistics as columns only, the counts are put back into JSON; nothing else of them is used. */
function parsedStatistics(present: ReadonlyMap<string, DuckDBType>): readonly string[] | null {
  const parsed = present.get('stats_parsed')
  if (!(parsed instanceof DuckDBStructType)) return null
  const counts = ['numRecords', 'tightBounds'].filter((field) => fieldsOf(parsed).has(field))
  const packed = counts.map((field) => `${identifier(field)} := "add"."stats_parsed".${identifier(field)}`)
  const json = `to_json(CASE WHEN "add"."stats_parsed" IS NOT NULL THEN struct_pack(${packed.join(', ')}) END)::VARCHAR`
  return packed.length === 0
    ? null
    : [`"stats" := ${present.has('stats') ? `coalesce("add"."stats", ${json})` : json}`]
}

function fieldsOf(type: DuckDBStructType): ReadonlyMap<string, DuckDBType> {
  return new Map(type.entryNames.map((name, index) => [name, type.entryTypes[index] ?? SQLNULL]))
}
