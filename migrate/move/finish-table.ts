import { identifier, literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from '../lake/lake.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import type { DeltaField, DeltaType } from '../log/schema.ts'
import type { TablePlan } from '../plan/plan.ts'

/** Gives a filled table what a registration had to wait with: the names of its columns; and comments and defaults. */
export async function finishTable({ session }: Lake, name: TableName, plan: TablePlan): Promise<void> {
  const table = sqlName(name)
  if (plan.naming === 'physical') {
    const fields = plan.columns.map(({ field }) => field)
    for (const { path, to } of renames(fields, [])) {
      await session.run(`ALTER TABLE ${table} RENAME ${path.map(identifier).join('.')} TO ${identifier(to)}`)
    }
  }
  const { description } = plan.snapshot.table
  if (description !== null) await session.run(`COMMENT ON TABLE ${table} IS ${literal(description)}`)
  for (const { field, comment, defaultSql } of plan.columns) {
    const column = identifier(field.name)
    if (comment !== null) await session.run(`COMMENT ON COLUMN ${table}.${column} IS ${literal(comment)}`)
    if (defaultSql !== null)
      await session.run(`ALTER TABLE ${table} ALTER ${column} SET DEFAULT ${defaultSql}`)
  }
}

export interface Rename {
  readonly path: readonly string[]
  readonly to: string
}

/** From physical names to logical ones, inner fields first, since a path is spelled with the names that are there. */
export function renames(fields: readonly DeltaField[], parent: readonly string[]): readonly Rename[] {
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
