import pg from 'pg'
import type { LakeType } from '../../../backends/schema.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import type { SourceTable } from '../source.ts'
import type { CatalogColumn, CatalogRelation } from './catalog.ts'
import { readRelation } from './catalog.ts'
import type { PostgresConfig } from './config.ts'
import { mappingOf, type TypeMapping } from './types.ts'

/** A table or view with what the configuration says of it. */
export interface PostgresTable {
  readonly name: string
  /** Its quoted name with its schema. */
  readonly sql: string
  readonly relation: CatalogRelation
  /** Without the excluded ones, in the order of the table. */
  readonly columns: readonly TableColumn[]
  /** Names of columns that are never NULL and occur once together; empty where there are none. */
  readonly key: readonly string[]
}

export interface TableColumn {
  readonly name: string
  readonly catalog: CatalogColumn
  readonly mapping: TypeMapping
  /** Whether the lake's column is. */
  readonly nullable: boolean
}

/** @throws LakeduelError `CONFIG_INVALID` where the configuration names a column that isn't there, or leaves out the key */
export function tableOf(relation: CatalogRelation, config: PostgresConfig): PostgresTable {
  const name = tableName(relation, config.schemas)
  const declared = settingOf(config.keys, name)
  const key = declared ?? ownKey(relation)
  const excluded = settingOf(config.excludeColumns, name) ?? []
  assertColumns(name, relation, 'keys', declared ?? [])
  assertColumns(name, relation, 'excludeColumns', excluded)
  const missing = key.filter((column) => excluded.includes(column))
  if (missing.length > 0) throw excludedKey(name, missing)
  const columns = relation.columns
    .filter((column) => !excluded.includes(column.name))
    .map((column) => {
      const mapping = mappingOf(column)
      const neverNull = key.includes(column.name) || (column.notNull && !mapping.mayBecomeNull)
      return { name: column.name, catalog: column, mapping, nullable: !neverNull }
    })
  const sql = [relation.schema, relation.name].map(pg.escapeIdentifier).join('.')
  return { name, sql, relation, columns, key }
}

/** Of a table, which may be called like something that every object has. */
function settingOf(
  settings: Readonly<Record<string, readonly string[]>>,
  table: string,
): readonly string[] | undefined {
  return Object.hasOwn(settings, table) ? settings[table] : undefined
}

/**
 * The plain name where one schema is read, else `schema.table`; a part that holds a dot or a quote is quoted then, so that
 * no two tables have one name.
 */
export function tableName(
  relation: Pick<CatalogRelation, 'schema' | 'name'>,
  schemas: readonly string[],
): string {
  if (new Set(schemas).size === 1) return relation.name
  return [relation.schema, relation.name]
    .map((part) => (/[."]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part))
    .join('.')
}

/**
 * The table that `discover` gave this name, as it is now.
 * @throws LakeduelError `TABLE_NOT_FOUND`
 */
export async function findTable(
  client: pg.Client,
  config: PostgresConfig,
  name: string,
): Promise<PostgresTable> {
  for (const schema of config.schemas) {
    const own = plainName(name, schema, config.schemas)
    const relation = own === null ? null : await readRelation(client, schema, own)
    if (relation !== null) return tableOf(relation, config)
  }
  throw tableMissing(config, name)
}

/**
 * The columns to read, as they were discovered; columns that the table has gained since are left for the next run.
 * @throws LakeduelError `SCHEMA_MISMATCH` where one of them is gone or has another type
 */
export function requestedColumns(table: PostgresTable, requested: SourceTable): readonly TableColumn[] {
  if (requested.columns === null) return table.columns
  return requested.columns.map(({ name, type }) => {
    const column = table.columns.find((one) => one.name === name)
    if (column !== undefined && (type === null || isSameType(type, column.mapping.type))) return column
    throw columnChanged(table, name, type, column)
  })
}

/** Whether rows can be had in the order of these columns without sorting: an index begins with them. */
export function hasIndexFor(relation: CatalogRelation, columns: readonly string[]): boolean {
  return relation.indexes.some(
    (index) => index.ordered && columns.every((column, place) => index.columns[place] === column),
  )
}

/** The primary key, else the smallest unique index whose columns are never NULL. Heirs' rows are outside of both. */
function ownKey(relation: CatalogRelation): readonly string[] {
  if (relation.hasHeirs) return []
  const notNull = new Set(relation.columns.filter((column) => column.notNull).map((column) => column.name))
  const unique = relation.indexes.find(
    (index) => index.primary || (index.unique && index.columns.every((column) => notNull.has(column))),
  )
  return unique?.columns ?? []
}

function assertColumns(
  table: string,
  relation: CatalogRelation,
  setting: string,
  names: readonly string[],
): void {
  const unknown = names.filter((name) => !relation.columns.some((column) => column.name === name))
  if (unknown.length === 0) return
  throw new LakeduelError(
    'CONFIG_INVALID',
    `\`${setting}\` names columns that table ${table} doesn't have: ${unknown.join(', ')}.`,
    {
      facts: { table, setting, unknown },
      remedy: `Correct \`${setting}\` of the source; the table has the columns ${relation.columns.map((column) => column.name).join(', ')}.`,
    },
  )
}

function excludedKey(table: string, columns: readonly string[]): LakeduelError {
  return new LakeduelError(
    'CONFIG_INVALID',
    `\`excludeColumns\` leaves out the key of table ${table}: ${columns.join(', ')}.`,
    { facts: { table, columns }, remedy: 'Take the columns of the key out of `excludeColumns`.' },
  )
}

/** What {@link tableName} made the name from, or null for a table of another schema. */
function plainName(name: string, schema: string, schemas: readonly string[]): string | null {
  const candidates = [name, ...[...name.matchAll(/\./g)].map(({ index }) => name.slice(index + 1))]
  const unquoted = candidates.map((text) =>
    /^".*"$/s.test(text) ? text.slice(1, -1).replaceAll('""', '"') : text,
  )
  return (
    [...candidates, ...unquoted].find(
      (candidate) => tableName({ schema, name: candidate }, schemas) === name,
    ) ?? null
  )
}

function isSameType(a: LakeType, b: LakeType): boolean {
  return sqlLike(a) === sqlLike(b)
}

function sqlLike(type: LakeType): string {
  return type.kind === 'decimal' ? `decimal(${type.precision}, ${type.scale})` : type.kind
}

function columnChanged(
  { name: table }: PostgresTable,
  name: string,
  before: LakeType | null,
  now: TableColumn | undefined,
): LakeduelError {
  const was = before === null ? 'there' : sqlLike(before)
  const is = now === undefined ? 'gone or left out' : sqlLike(now.mapping.type)
  return new LakeduelError('SCHEMA_MISMATCH', `Column "${name}" of table ${table} was ${was} and is ${is}.`, {
    facts: { table, column: name, was, is },
    remedy: 'Cancel the run and start another, which reads the table as it is now.',
  })
}

export function tableMissing({ schemas }: PostgresConfig, name: string): LakeduelError {
  return new LakeduelError('TABLE_NOT_FOUND', `There is no table or view ${name} in Postgres.`, {
    facts: { table: name, schemas },
    remedy: 'Name one that is there, and check `schemas`; names are case-sensitive.',
  })
}
