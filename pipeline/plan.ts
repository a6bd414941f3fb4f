import { isDeepStrictEqual } from 'node:util'
import { LakeduelError } from '../platform/errors.ts'
import { ColumnNames } from './extract/naming/column-names.ts'
import { tableName } from './extract/naming/table-name.ts'
import { assertPartitionable } from './extract/partitioning/check.ts'
import type { SourceTable } from './sources/source.ts'
import type { CompactionPolicy, Destination, RunSpec, SyncMode, Trigger } from './state/model.ts'

/** What a user asks of one table; what is undefined is chosen from what the source tells. */
export interface TableRequest {
  readonly table: string
  readonly as?: string | undefined
  readonly mode?: SyncMode | undefined
  readonly incrementalField?: string | undefined
  /** By the source's names. */
  readonly primaryKey?: readonly string[] | undefined
  readonly partition: RunSpec['partition']
  readonly columnTypes: RunSpec['columnTypes']
  readonly nested: RunSpec['nested']
  readonly triggers: readonly Trigger[]
}

export interface PlanContext {
  readonly source: { readonly name: string; readonly config: RunSpec['source']['config'] }
  readonly destination: Omit<Destination, 'table'>
  readonly compaction: CompactionPolicy
}

/**
 * The spec of a run, checked as far as it can be before any work begins.
 * @throws LakeduelError `CONFIG_INVALID`, naming the table and what to choose instead
 */
export function planRun(request: TableRequest, table: SourceTable, context: PlanContext): RunSpec {
  const primaryKey = request.primaryKey ?? table.primaryKey
  const mode = request.mode ?? defaultMode(table, primaryKey)
  const names = lakeNames(table, primaryKey)
  assertDeclaredPartition(request, table, names)
  return {
    source: { ...context.source, config: { ...context.source.config }, table: table.name },
    destination: { ...context.destination, table: tableName(request.as ?? table.name) },
    mode,
    incrementalField: mode === 'full-refresh' ? null : incrementalField(request, table, mode),
    primaryKey: mode === 'append' ? [] : keyFor(mode, table, primaryKey, names),
    applyAs: appliesAs(mode, table, primaryKey),
    partition: request.partition,
    nested: request.nested,
    columnTypes: request.columnTypes,
    compaction: context.compaction,
    triggers: [...request.triggers],
  }
}

/** The names that columns get before any row is read: of all declared ones, else of the key. The extractor starts from the same. */
export function lakeNames(table: SourceTable, primaryKey: readonly string[]): ColumnNames {
  const names = new ColumnNames()
  names.add(table.columns?.map(({ name }) => name) ?? primaryKey)
  return names
}

/** What has no declared columns is checked when its first rows are there. */
function assertDeclaredPartition(
  { partition, columnTypes }: TableRequest,
  { name: table, columns }: SourceTable,
  names: ColumnNames,
): void {
  if (partition === null || columns === null) return
  const declared = columns.map(({ name: source, type }) => {
    const name = names.given.get(source) ?? source
    return { name, type: columnTypes[name] ?? type }
  })
  assertPartitionable(table, partition, declared)
}

function defaultMode(table: SourceTable, primaryKey: readonly string[]): SyncMode {
  return primaryKey.length > 0 && table.incremental.length > 0 ? 'incremental' : 'full-refresh'
}

/** A full refresh fills an empty table, so that only a source that may yield a key twice has anything to replace there. */
function appliesAs(mode: SyncMode, table: SourceTable, primaryKey: readonly string[]): RunSpec['applyAs'] {
  if (mode === 'append' || primaryKey.length === 0) return 'append'
  const isOwnKey = isDeepStrictEqual([...primaryKey], [...table.primaryKey])
  return mode === 'full-refresh' && table.keysOnce && isOwnKey ? 'append' : 'upsert'
}

function incrementalField(request: TableRequest, table: SourceTable, mode: SyncMode): string | null {
  const fields = table.incremental.map(({ name }) => name)
  const field = request.incrementalField ?? fields[0]
  if (field !== undefined && fields.includes(field)) return field
  if (field === undefined && mode === 'append') return null
  throw new LakeduelError(
    'CONFIG_INVALID',
    field === undefined
      ? `Table ${table.name} has no field to read it incrementally by.`
      : `Table ${table.name} can't be read incrementally by "${field}".`,
    {
      facts: { table: table.name, field, fields },
      remedy:
        fields.length === 0 ? 'Use --mode full-refresh.' : `Use --incremental-field ${fields.join(' or ')}.`,
    },
  )
}

function keyFor(
  mode: SyncMode,
  table: SourceTable,
  primaryKey: readonly string[],
  names: ColumnNames,
): string[] {
  if (mode === 'incremental' && primaryKey.length === 0) {
    throw new LakeduelError(
      'CONFIG_INVALID',
      `Table ${table.name} has no primary key, so rows that changed can't find the rows that they replace.`,
      {
        facts: { table: table.name, mode },
        remedy: 'Name one with --primary-key COLUMNS, or use --mode full-refresh or append.',
      },
    )
  }
  const declared = table.columns?.map(({ name }) => name)
  const missing = declared === undefined ? [] : primaryKey.filter((name) => !declared.includes(name))
  if (missing.length > 0) {
    throw new LakeduelError(
      'CONFIG_INVALID',
      `Table ${table.name} has no column "${missing.join('", "')}", which its primary key names.`,
      { facts: { table: table.name, missing, columns: declared }, remedy: 'Correct --primary-key.' },
    )
  }
  return primaryKey.map((name) => names.given.get(name) ?? name)
}
