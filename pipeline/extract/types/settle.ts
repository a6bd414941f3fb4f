import type { ColumnSpec, LakeType } from '../../../backends/schema.ts'
import { typeName, widened } from '../../../backends/widening.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { holdsSeen, inferType } from './infer.ts'
import type { Observation } from './observation.ts'
import { Misfit } from './values.ts'

/**
 * The type of a column once some more of its values were seen: the known one where it holds them all, else the type that
 * holds both what is stored and what comes. Null as long as nothing but nulls was seen.
 * @throws LakeduelError `SCHEMA_MISMATCH` where there is no such type
 */
export function settleType(column: string, known: LakeType | null, seen: Observation): LakeType | null {
  if (known !== null && holdsSeen(known, seen)) return known
  const incoming = inferredType(column, seen)
  if (known === null || incoming === null) return known ?? incoming
  return widenedOrThrow(column, known, incoming)
}

/**
 * A table's columns together with those that come: new ones are added at the end, nullable; a wider type takes the
 * narrower one's place; what doesn't come stays, and is null from then on.
 * @throws LakeduelError `SCHEMA_MISMATCH` where two types have no common one without loss
 */
export function mergeColumns(
  known: readonly ColumnSpec[],
  incoming: readonly ColumnSpec[],
): readonly ColumnSpec[] {
  const types = new Map(incoming.map(({ name, type }) => [name, type]))
  const merged = known.map((column) => {
    const type = types.get(column.name)
    return type === undefined ? column : { ...column, type: widenedOrThrow(column.name, column.type, type) }
  })
  const names = new Set(known.map(({ name }) => name))
  const added = incoming.filter(({ name }) => !names.has(name))
  // Rows that are stored already have no value in a column that is new.
  return [...merged, ...added.map((column) => (known.length === 0 ? column : { ...column, nullable: true }))]
}

function inferredType(column: string, seen: Observation): LakeType | null {
  try {
    return inferType(seen)
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    throw new LakeduelError('SCHEMA_MISMATCH', `Column ${column} ${error.message}.`, {
      facts: { column, stored: 'int64', incoming: 'float64' },
      remedy: wayOut(column, true),
    })
  }
}

function widenedOrThrow(column: string, stored: LakeType, incoming: LakeType): LakeType {
  const type = widened(stored, incoming)
  if (type !== null) return type
  throw new LakeduelError(
    'SCHEMA_MISMATCH',
    `Column ${column} is ${typeName(stored)} in the lake, and ${typeName(incoming)} comes: no type holds both without loss.`,
    {
      facts: { column, stored: typeName(stored), incoming: typeName(incoming) },
      remedy: wayOut(column, isNumber(stored) && isNumber(incoming)),
    },
  )
}

function wayOut(column: string, isNumeric: boolean): string {
  const float = isNumeric ? `, or with --column ${column}=float64, which rounds beyond 2^53` : ''
  return `Read the table anew in a full refresh with --column ${column}=string, which holds everything${float}.`
}

function isNumber({ kind }: LakeType): boolean {
  return kind === 'decimal' || kind.startsWith('int') || kind.startsWith('float')
}
