import { identifier, literal } from '../../platform/duckdb/sql.ts'
import type { DeltaField, DeltaType } from '../log/schema.ts'
import type { TableMetadata } from '../log/snapshot.ts'
import { sqlOf } from '../plan/types.ts'

/** How the columns of a lake table become those of a later version. */
export interface SchemaChange {
  /** What must be done to the table, in this order, each as the rest of `ALTER TABLE name …`; or a whole statement. */
  readonly alterations: readonly string[]
  /**
   * Whether all rows have to be written anew: a type changed. DuckLake can change some types in its catalog alone, and then
   * its sessions merge bounds of both types wrongly (duckdb/ducklake#1397), so that filters lose rows.
   */
  readonly rebuild: boolean
}

/** Columns are the same while their physical names are; those are what files have, and what a rename leaves alone. */
export function schemaChange(before: TableMetadata, after: TableMetadata): SchemaChange {
  const repartitioned = !sameList(before.partitionColumns, after.partitionColumns)
  const renamedPartition =
    before.partitionColumns.length === after.partitionColumns.length &&
    sameList(physicalPartitions(before), physicalPartitions(after))
  const changesPartition = repartitioned && !renamedPartition
  const columns = fieldChange(before.columns, after.columns, [])
  const rebuild = columns.rebuild || changesPartition
  const reset = rebuild && before.partitionColumns.length > 0 ? ['RESET PARTITIONED BY'] : []
  const set =
    rebuild && after.partitionColumns.length > 0
      ? [`SET PARTITIONED BY (${after.partitionColumns.map(identifier).join(', ')})`]
      : []
  return {
    alterations: [...reset, ...columns.alterations, ...nullability(before.columns, after.columns), ...set],
    rebuild,
  }
}

function physicalPartitions({ columns, partitionColumns }: TableMetadata): readonly string[] {
  return partitionColumns.map((name) => columns.find((column) => column.name === name)?.physicalName ?? name)
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

/** @param path of the struct that the fields are in, by the names that the table has by then */
function fieldChange(
  before: readonly DeltaField[],
  after: readonly DeltaField[],
  path: readonly string[],
): SchemaChange {
  const then = new Map(before.map((field) => [field.physicalName, field]))
  const now = new Map(after.map((field) => [field.physicalName, field]))
  const replaced = after.filter((field) => isReplaced(then.get(field.physicalName), field))
  const gone = [
    ...before.filter(({ physicalName }) => !now.has(physicalName)),
    ...replaced.flatMap((field) => then.get(field.physicalName) ?? []),
  ]
  const fresh = after.filter((field) => !then.has(field.physicalName) || replaced.includes(field))
  const kept = after.filter((field) => then.has(field.physicalName) && !replaced.includes(field))
  const inner = kept.map((field) =>
    innerChange(then.get(field.physicalName)?.type, field.type, [
      ...path,
      then.get(field.physicalName)?.name ?? field.name,
    ]),
  )
  return {
    rebuild: replaced.length > 0 || inner.some(({ rebuild }) => rebuild),
    alterations: [
      ...inner.flatMap(({ alterations }) => alterations),
      // New ones first, since a table may not be without columns in between.
      ...fresh.map(
        (field) => `ADD COLUMN ${dotted([...path, freshName(field, gone)])} ${sqlOf(field.type, 'logical')}`,
      ),
      ...gone.map(({ name }) => `DROP COLUMN ${dotted([...path, name])}`),
      ...fresh
        .filter((field) => freshName(field, gone) !== field.name)
        .map((field) => `RENAME ${dotted([...path, freshName(field, gone)])} TO ${identifier(field.name)}`),
      ...kept.flatMap((field) => renameOf(then.get(field.physicalName)?.name, field.name, path)),
    ],
  }
}

/** The name is taken until the column before it is dropped. */
function freshName({ name }: DeltaField, gone: readonly DeltaField[]): string {
  const taken = gone.some((field) => field.name.toLowerCase() === name.toLowerCase())
  return taken ? `__lakeduel_new_${name}` : name
}

function renameOf(before: string | undefined, after: string, path: readonly string[]): readonly string[] {
  return before === undefined || before === after
    ? []
    : [`RENAME ${dotted([...path, before])} TO ${identifier(after)}`]
}

/** Another type, other than by fields of a struct that came, went or have another name. */
function isReplaced(before: DeltaField | undefined, after: DeltaField): boolean {
  return before !== undefined && !sameShape(before.type, after.type)
}

function sameShape(before: DeltaType, after: DeltaType): boolean {
  if (before.kind === 'struct' && after.kind === 'struct') return true
  if (before.kind === 'array' && after.kind === 'array') return sameShape(before.element, after.element)
  if (before.kind === 'map' && after.kind === 'map') {
    return sameShape(before.key, after.key) && sameShape(before.value, after.value)
  }
  return sqlOf(before, 'logical') === sqlOf(after, 'logical')
}

const UNCHANGED: SchemaChange = { alterations: [], rebuild: false }

function innerChange(before: DeltaType | undefined, after: DeltaType, path: readonly string[]): SchemaChange {
  if (before?.kind === 'struct' && after.kind === 'struct')
    return fieldChange(before.fields, after.fields, path)
  if (before?.kind === 'array' && after.kind === 'array')
    return innerChange(before.element, after.element, [...path, 'element'])
  if (before?.kind === 'map' && after.kind === 'map') {
    const key = innerChange(before.key, after.key, [...path, 'key'])
    const value = innerChange(before.value, after.value, [...path, 'value'])
    return { alterations: [...key.alterations, ...value.alterations], rebuild: key.rebuild || value.rebuild }
  }
  return UNCHANGED
}

function nullability(before: readonly DeltaField[], after: readonly DeltaField[]): readonly string[] {
  const then = new Map(before.map((field) => [field.physicalName, field.nullable]))
  return after.flatMap(({ name, physicalName, nullable }) => {
    const wasNullable = then.get(physicalName) ?? true
    if (wasNullable === nullable) return []
    return [`ALTER COLUMN ${identifier(name)} ${nullable ? 'DROP' : 'SET'} NOT NULL`]
  })
}

function dotted(path: readonly string[]): string {
  return path.map(identifier).join('.')
}

/** Statements that bring the comments of columns up to date. */
export function commentChanges(
  before: TableMetadata,
  after: TableMetadata,
  table: string,
): readonly string[] {
  const commentOf = ({ metadata }: DeltaField) =>
    typeof metadata.comment === 'string' ? metadata.comment : null
  const then = new Map(before.columns.map((field) => [field.physicalName, commentOf(field)]))
  return after.columns
    .filter((field) => (then.get(field.physicalName) ?? null) !== commentOf(field))
    .map((field) => {
      const comment = commentOf(field)
      return `COMMENT ON COLUMN ${table}.${identifier(field.name)} IS ${comment === null ? 'NULL' : literal(comment)}`
    })
}
