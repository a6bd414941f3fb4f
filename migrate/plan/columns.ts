import type { DeltaField } from '../log/schema.ts'
import type { TableMetadata } from '../log/snapshot.ts'
import { collisions, sqlOf, typeProblems } from './types.ts'

/** A column of the table that a migration makes. */
export interface PlannedColumn {
  readonly field: DeltaField
  /** The type as DuckDB spells it, with the logical names of fields. */
  readonly sql: string
  readonly nullable: boolean
  readonly comment: string | null
  /** A literal, or null. */
  readonly defaultSql: string | null
}

export interface ColumnPlan {
  readonly columns: readonly PlannedColumn[]
  /** Why DuckLake can't hold the table; empty where it can. */
  readonly problems: readonly string[]
}

const MAX_COLUMNS = 10_000

export function planColumns({ columns }: TableMetadata): ColumnPlan {
  const problems = [
    ...(columns.length === 0 ? ['The table has no columns, and a table of DuckLake has one at least'] : []),
    ...(columns.length > MAX_COLUMNS
      ? [`The table has ${columns.length} columns; ${MAX_COLUMNS} can be moved`]
      : []),
    ...collisions(columns.map(({ name }) => name)).map(
      (names) => `The columns ${names.join(' and ')} differ by case alone, and are one column to DuckDB`,
    ),
    ...columns.filter(({ name }) => name === '').map(() => 'A column has an empty name'),
    ...columns.flatMap(({ name, type }) => typeProblems(type, `Column "${name}"`)),
  ]
  return { columns: problems.length > 0 ? [] : columns.map(plannedColumn), problems }
}

function plannedColumn(field: DeltaField): PlannedColumn {
  const { comment } = field.metadata
  return {
    field,
    sql: sqlOf(field.type, 'logical'),
    nullable: field.nullable,
    comment: typeof comment === 'string' && comment !== '' ? comment : null,
    defaultSql: literalDefault(field),
  }
}

const LITERAL = /^(?:-?\d+(?:\.\d+)?|'(?:[^'\\]|'')*'|true|false)$/i

/** What a writer fills in where it isn't told a value; DuckLake has literals there, and no expressions. */
export function writtenDefault({ metadata }: DeltaField): string | null {
  const text = metadata.CURRENT_DEFAULT
  return typeof text === 'string' ? text.trim() : null
}

export function isLiteralDefault(text: string): boolean {
  return LITERAL.test(text)
}

function literalDefault(field: DeltaField): string | null {
  const text = writtenDefault(field)
  return text !== null && isLiteralDefault(text) ? text : null
}
