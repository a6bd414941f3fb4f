import { LakeduelError } from '../platform/errors.ts'
import type { ColumnSpec, LakeType } from './schema.ts'
import { holds, typeName, widened } from './widening.ts'

/** What has to happen to a stored table so that it takes a batch's columns. */
export interface Evolution {
  readonly added: readonly ColumnSpec[]
  /** The stored columns that change, in their new types. */
  readonly widened: readonly ColumnSpec[]
  /** All columns of the table afterwards: the stored ones in their order, then the added ones. */
  readonly columns: readonly ColumnSpec[]
}

/**
 * Compares the stored columns with incoming ones; both formats evolve by the same plan.
 * @throws LakeduelError `SCHEMA_MISMATCH`
 */
export function planEvolution(
  table: string,
  stored: readonly ColumnSpec[],
  incoming: readonly ColumnSpec[],
): Evolution {
  const asked = new Map(incoming.map((column) => [column.name, column]))
  const known = new Set(stored.map(({ name }) => name))
  const added = incoming.filter(({ name }) => !known.has(name))
  const problems = [
    ...sameButForCase(stored, incoming),
    ...added.filter(({ nullable }) => !nullable).map(({ name }) => `"${name}" is new and not nullable`),
  ]
  const widenedColumns: ColumnSpec[] = []
  for (const column of stored) {
    const other = asked.get(column.name)
    if (other === undefined || holds(column.type, other.type)) continue
    const type = widened(column.type, other.type)
    if (type === null) problems.push(withoutCommonType(column, other.type))
    else widenedColumns.push({ ...column, type })
  }
  if (problems.length > 0) throw schemaMismatch(table, problems)
  const changed = new Map(widenedColumns.map((column) => [column.name, column]))
  const columns = [...stored.map((column) => changed.get(column.name) ?? column), ...added]
  return { added, widened: widenedColumns, columns }
}

/** DuckDB, which reads both formats, takes names that differ by case for one name. */
function sameButForCase(stored: readonly ColumnSpec[], incoming: readonly ColumnSpec[]): readonly string[] {
  const byLowerCase = new Map(stored.map(({ name }) => [name.toLowerCase(), name]))
  return incoming.flatMap(({ name }) => {
    const known = byLowerCase.get(name.toLowerCase())
    byLowerCase.set(name.toLowerCase(), known ?? name)
    return known === undefined || known === name ? [] : [`"${name}" differs from "${known}" by case only`]
  })
}

function withoutCommonType({ name, type }: ColumnSpec, incoming: LakeType): string {
  return `"${name}" is stored as ${typeName(type)}, and no type holds that and ${typeName(incoming)} without loss`
}

function schemaMismatch(table: string, problems: readonly string[]): LakeduelError {
  return new LakeduelError('SCHEMA_MISMATCH', `Table ${table} cannot evolve so: ${problems.join('; ')}.`, {
    facts: { table, problems },
    remedy:
      'Stage the column in the type that is stored or under another name, or refresh the table in full, which takes the new columns as they are. New columns must be nullable.',
  })
}
