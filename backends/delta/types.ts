import type { ColumnSpec, LakeType } from '../schema.ts'

/**
 * The columns as the caller named them. Delta stores JSON text as a string and can't tell the two apart, so a stored
 * string is JSON where JSON was asked for.
 */
export function describedColumns(
  stored: readonly ColumnSpec[],
  asked: readonly ColumnSpec[],
): readonly ColumnSpec[] {
  const wanted = new Map(asked.map((column) => [column.name, column.type]))
  return stored.map((column) => ({ ...column, type: describedType(column.type, wanted.get(column.name)) }))
}

function describedType(stored: LakeType, wanted: LakeType | undefined): LakeType {
  if (stored.kind === 'string' && wanted?.kind === 'json') return wanted
  if (stored.kind === 'list' && wanted?.kind === 'list') {
    return { kind: 'list', element: describedType(stored.element, wanted.element) }
  }
  if (stored.kind === 'struct' && wanted?.kind === 'struct') {
    const fields = new Map(wanted.fields.map((field) => [field.name, field.type]))
    return {
      kind: 'struct',
      fields: stored.fields.map((field) => ({
        ...field,
        type: describedType(field.type, fields.get(field.name)),
      })),
    }
  }
  return stored
}
