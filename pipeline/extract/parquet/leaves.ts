import type { Data } from 'apache-arrow'
import type { LakeType } from '../../../backends/schema.ts'
import { type Bytes, levelsOf, levelsOfBitmap } from './levels.ts'

/** A column of values without nesting, as Parquet stores every column in the end. */
export interface Leaf {
  /** The names that lead to it from the top. */
  readonly path: readonly string[]
  readonly type: LakeType
  readonly data: Data
  /** Where its values are in `data`; null where they are all that are not null, in order. */
  readonly rows: Int32Array | null
  /** Values and the nulls between them. */
  readonly entries: number
  readonly levels: readonly Bytes[]
}

/** Places in an Arrow array with the levels that Parquet gives them; -1 for a place that a null further up left out. */
interface Entries {
  readonly rows: Int32Array
  readonly repetition: Uint8Array
  readonly definition: Uint8Array
  readonly maxRepetition: number
  readonly maxDefinition: number
}

/** The leaves of a column: itself, or the fields and elements of a nested one, with the levels of Dremel. */
export function leavesOf(name: string, type: LakeType, data: Data): readonly Leaf[] {
  if (type.kind === 'list' || type.kind === 'struct')
    return nestedLeaves([name], type, data, allRows(data.length))
  const bitmap = data.nullCount === 0 ? null : data.nullBitmap
  const levels = [levelsOfBitmap(bitmap, data.length)]
  return [{ path: [name], type, data, rows: null, entries: data.length, levels }]
}

function allRows(length: number): Entries {
  return {
    rows: Int32Array.from({ length }, (_, row) => row),
    repetition: new Uint8Array(length),
    definition: new Uint8Array(length),
    maxRepetition: 0,
    maxDefinition: 0,
  }
}

function nestedLeaves(path: readonly string[], type: LakeType, data: Data, above: Entries): readonly Leaf[] {
  const entries = withoutNulls(data, above)
  if (type.kind === 'struct') {
    return type.fields.flatMap((field, index) =>
      nestedLeaves([...path, field.name], field.type, childOf(data, index), entries),
    )
  }
  if (type.kind === 'list') {
    return nestedLeaves([...path, 'list', 'element'], type.element, childOf(data, 0), expanded(data, entries))
  }
  const { repetition, definition, maxRepetition, maxDefinition } = entries
  const levels = [
    ...(maxRepetition === 0 ? [] : [levelsOf(repetition, maxRepetition)]),
    levelsOf(definition, maxDefinition),
  ]
  return [
    { path, type, data, rows: entries.rows.filter((row) => row >= 0), entries: entries.rows.length, levels },
  ]
}

/** One level deeper for every place that has a value. */
function withoutNulls(data: Data, above: Entries): Entries {
  const rows = above.rows.map((row) => (row >= 0 && data.getValid(row) ? row : -1))
  const definition = above.definition.map((level, at) => ((rows[at] ?? -1) >= 0 ? level + 1 : level))
  return { ...above, rows, definition, maxDefinition: above.maxDefinition + 1 }
}

/** The elements of every list in place of the list; an empty list, as a null one, keeps one place without a value. */
function expanded({ valueOffsets }: Data, lists: Entries): Entries {
  const maxRepetition = lists.maxRepetition + 1
  const rows: number[] = []
  const repetition: number[] = []
  const definition: number[] = []
  for (const [at, list] of lists.rows.entries()) {
    const from = list < 0 ? 0 : Number(valueOffsets[list])
    const to = list < 0 ? 0 : Number(valueOffsets[list + 1])
    if (from === to) rows.push(-1)
    for (let row = from; row < to; row += 1) rows.push(row)
    for (let place = 0; place < Math.max(1, to - from); place += 1) {
      repetition.push(place === 0 ? (lists.repetition[at] ?? 0) : maxRepetition)
      definition.push((lists.definition[at] ?? 0) + (from === to ? 0 : 1))
    }
  }
  return {
    rows: Int32Array.from(rows),
    repetition: Uint8Array.from(repetition),
    definition: Uint8Array.from(definition),
    maxRepetition,
    maxDefinition: lists.maxDefinition + 1,
  }
}

function childOf(data: Data, index: number): Data {
  const child = data.children[index]
  if (child === undefined) throw new TypeError(`the Arrow array has no child ${index}`)
  return child
}
