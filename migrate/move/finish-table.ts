import { identifier, literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from '../lake/lake.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import type { DeltaField, DeltaType } from '../log/schema.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { FilesPlan } from '../plan/plan-files.ts'

/** Gives a filled table what a registration had to wait with: the names of its columns; and comments and defaults. */
export async function finishTable(lake: Lake, name: TableName, plan: TablePlan): Promise<void> {
  const { session } = lake
  const table = sqlName(name)
  if (plan.naming === 'physical') await finishNames(lake, name, plan, 'to logical')
  const { description } = plan.snapshot.table
  if (description !== null) await session.run(`COMMENT ON TABLE ${table} IS ${literal(description)}`)
  for (const { field, comment, defaultSql } of plan.columns) {
    const column = identifier(field.name)
    if (comment !== null) await session.run(`COMMENT ON COLUMN ${table}.${column} IS ${literal(comment)}`)
    if (defaultSql !== null)
      await session.run(`ALTER TABLE ${table} ALTER ${column} SET DEFAULT ${defaultSql}`)
  }
}

/** Renames columns and the fields in them, to the names that files have, or back to those that people know. */
export async function finishNames(
  { session }: Lake,
  name: TableName,
  { columns }: Pick<FilesPlan, 'columns'>,
  direction: 'to logical' | 'to physical',
): Promise<void> {
  const fields = columns.map(({ field }) => (direction === 'to logical' ? field : turned(field)))
  for (const { path, to } of renames(fields, [])) {
    await session.run(
      `ALTER TABLE ${sqlName(name)} RENAME ${path.map(identifier).join('.')} TO ${identifier(to)}`,
    )
  }
}

/** With its names exchanged. */
function turned(field: DeltaField): DeltaField {
  return { ...field, name: field.physicalName, physicalName: field.name, type: turnedType(field.type) }
}

function turnedType(type: DeltaType): DeltaType {
  if (type.kind === 'struct') return { ...type, fields: type.fields.map(turned) }
  if (type.kind === 'array') return { ...type, element: turnedType(type.element) }
  if (type.kind === 'map') return { ...type, key: turnedType(type.key), value: turnedType(type.value) }
  return type
}

interface Rename {
  readonly path: readonly string[]
  readonly to: string
}

/** From physical names to logical ones, inner fields first, since a path is spelled with the names that are there. */
function renames(fields: readonly DeltaField[], parent: readonly string[]): readonly Rename[] {
  const inner = fields.flatMap(({ physicalName, type }) => innerRenames(type, [...parent, physicalName]))
  const changed = fields.filter(({ name, physicalName }) => name !== physicalName)
  const taken = new Set(fields.map(({ physicalName }) => physicalName.toLowerCase()))
  const clashes = changed.some(({ name }) => taken.has(name.toLowerCase()))
  const between = (index: number) => `__lakeduel_renamed_${index}`
  const first = changed.map(({ physicalName, name }, index) => ({
    path: [...parent, physicalName],
    to: clashes ? between(index) : name,
  }))
  // Names may have gone round in a circle, so that none can be given before another is given up.
  const second = clashes
    ? changed.map(({ name }, index) => ({ path: [...parent, between(index)], to: name }))
    : []
  return [...inner, ...first, ...second]
}

function innerRenames(type: DeltaType, path: readonly string[]): readonly Rename[] {
  if (type.kind === 'struct') return renames(type.fields, path)
  if (type.kind === 'array') return innerRenames(type.element, [...path, 'element'])
  if (type.kind !== 'map') return []
  return [...innerRenames(type.key, [...path, 'key']), ...innerRenames(type.value, [...path, 'value'])]
}
