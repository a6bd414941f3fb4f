import { type Data, makeData, RecordBatch, Schema, Struct } from 'apache-arrow'
import { typeName } from '../../../backends/widening.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import type { SettledColumn } from '../table-plan.ts'
import { otherTurns } from '../turns.ts'
import { Misfit } from '../types/values.ts'
import { arrowData } from './arrow-data.ts'
import { arrowField } from './arrow-type.ts'
import type { Cells } from './cells.ts'
import type { TextRoom } from './layout.ts'

export interface ArrowRows {
  readonly batch: RecordBatch
  readonly payloadBytes: number
  /** Values that the lake can't hold and that became null (NaN, infinity, years beyond 9999), by column. */
  readonly nulled: ReadonlyMap<string, number>
}

/**
 * Some consecutive rows as an Arrow record batch, whose texts lie in `room`.
 * @throws LakeduelError `SCHEMA_MISMATCH` for a value that its column's type doesn't hold, `BATCH_INVALID` for a null
 *   where there must be none
 */
export async function arrowRows(
  columns: readonly SettledColumn[],
  from: number,
  to: number,
  room: TextRoom,
): Promise<ArrowRows> {
  const nulled = new Map<string, number>()
  const children: Data[] = []
  for (const column of columns) {
    const cells = column.cells.slice(from, to)
    const data = dataOf(column, cells, room)
    const lost = data.nullCount - (data.nullCount === 0 ? 0 : missing(cells))
    if (lost > 0) nulled.set(column.name, lost)
    if (data.nullCount > 0 && !column.nullable) throw missingValue(column)
    children.push(data)
    await otherTurns()
  }
  const schema = new Schema(columns.map(arrowField))
  const data = makeData({ type: new Struct(schema.fields), length: to - from, nullCount: 0, children })
  return { batch: new RecordBatch(schema, data), payloadBytes: bytesOf(children), nulled }
}

function dataOf({ name, type, wraps }: SettledColumn, cells: Cells, room: TextRoom): Data {
  try {
    return arrowData(type, cells, room, wraps)
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    throw new LakeduelError(
      'SCHEMA_MISMATCH',
      `Column ${name} is ${typeName(type)}, and a value of it ${error.message}.`,
      {
        facts: { column: name, type: typeName(type) },
        remedy: `Correct the value at the source, or read the table anew in a full refresh with --column ${name}=string, which holds everything.`,
      },
    )
  }
}

function missing(cells: Cells): number {
  return cells.reduce((count: number, cell) => (cell === null ? count + 1 : count), 0)
}

function bytesOf(children: readonly Data[]): number {
  return children.reduce((sum, child) => sum + child.byteLength, 0)
}

function missingValue({ name }: SettledColumn): LakeduelError {
  return new LakeduelError(
    'BATCH_INVALID',
    `Column ${name} has a null, and the lake's table allows none there.`,
    {
      facts: { column: name },
      remedy:
        'Correct the rows at the source; or read the table anew in a full refresh, if its column may be null by now.',
    },
  )
}
