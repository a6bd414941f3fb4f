import type { IncrementalField, PartitionHint, SourceTable } from '../source.ts'
import type { CatalogRelation } from './catalog.ts'
import type { PostgresConfig } from './config.ts'
import {
  hasIndexFor,
  type PostgresTable,
  type TableColumn,
  tableMissing,
  tableName,
  tableOf,
} from './table.ts'

/**
 * The tables and views to offer: those that the configuration names, else all but the partitions of others.
 * @throws LakeduelError `TABLE_NOT_FOUND`, `CONFIG_INVALID`
 */
export function offered(
  relations: readonly CatalogRelation[],
  config: PostgresConfig,
): readonly PostgresTable[] {
  const { tables } = config
  const byName = new Map(relations.map((relation) => [tableName(relation, config.schemas), relation]))
  const missing = tables?.find((name) => !byName.has(name))
  if (missing !== undefined) throw tableMissing(config, missing)
  const chosen = [...byName].filter(([name, { isPartition }]) => tables?.includes(name) ?? !isPartition)
  // A table without columns has nothing that a lake could keep.
  return chosen.map(([, relation]) => tableOf(relation, config)).filter(({ columns }) => columns.length > 0)
}

export function sourceTableOf(table: PostgresTable): SourceTable {
  const { relation, key } = table
  return {
    name: table.name,
    columns: table.columns.map(({ name, mapping, nullable }) => ({ name, type: mapping.type, nullable })),
    primaryKey: key,
    incremental: incrementalFields(table),
    partition: partitionHint(table),
    parent: null,
    // In the order of the key, a row that stays is met once, and one that is put in behind us isn't met at all.
    keysOnce: key.length > 0,
    pagesAreDear: false,
    estimatedRows: relation.estimatedRows < 0 ? null : Math.round(relation.estimatedRows),
  }
}

const MOMENTS = new Set<string>(['timestamp', 'timestamptz', 'date'])
const INTEGERS = new Set<string>(['int16', 'int32', 'int64'])
/** The usual names of when a row was last changed, and of when it was made. */
const CHANGED = /^(updated|modified|changed|last_?(updated|modified|changed))/i
const CREATED = /^(created|inserted)(_?(at|on|date|time|timestamp))?$/i

export function isIncremental(column: TableColumn): boolean {
  return MOMENTS.has(column.mapping.type.kind) || INTEGERS.has(column.mapping.type.kind)
}

/** Moments, and an integer that is the whole key: a rising key tells of new rows, though of no changed ones. Best first. */
function incrementalFields({ relation, columns, key }: PostgresTable): readonly IncrementalField[] {
  const ranked = columns
    .filter(
      (column) => isIncremental(column) && (isMoment(column) || (key.length === 1 && key[0] === column.name)),
    )
    .map((column) => ({
      name: column.name,
      rank:
        (hasIndexFor(relation, [column.name]) ? 0 : 4) +
        (isMoment(column) ? 0 : 2) +
        (CHANGED.test(column.name) ? 0 : 1),
    }))
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ name }) => ({ name, order: 'ascending' }))
}

/** By when a row was made, which never changes; else by its key. */
function partitionHint({ columns, key }: PostgresTable): PartitionHint | null {
  const created = columns.find((column) => isMoment(column) && CREATED.test(column.name))
  if (created !== undefined) return { mode: 'datetime', columns: [created.name] }
  if (key.length === 0) return null
  const only = key.length === 1 ? columns.find((column) => column.name === key[0]) : undefined
  const isInteger = only !== undefined && INTEGERS.has(only.mapping.type.kind)
  return { mode: isInteger ? 'numerical' : 'md5', columns: key }
}

function isMoment(column: TableColumn): boolean {
  return MOMENTS.has(column.mapping.type.kind)
}
