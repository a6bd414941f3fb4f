import type { ColumnSpec, LakeType } from '../../../backends/schema.ts'
import { RowBuffer } from '../../../pipeline/extract/rows/row-buffer.ts'
import { TablePlan, type TablePlanOptions } from '../../../pipeline/extract/table-plan.ts'
import type { Row, SourceTable } from '../../../pipeline/sources/source.ts'

export const SOURCE_TABLE: SourceTable = {
  name: 'things',
  columns: null,
  primaryKey: [],
  incremental: [],
  partition: null,
  parent: null,
  keysOnce: true,
  pagesAreDear: false,
  estimatedRows: null,
}

/** A plan for a new table that isn't partitioned, but for what is told otherwise. */
export function planOf(options: Partial<TablePlanOptions> = {}): TablePlan {
  return new TablePlan({
    table: SOURCE_TABLE,
    known: [],
    names: [],
    partition: { mode: 'none' },
    mode: 'append',
    primaryKey: [],
    incrementalField: null,
    nested: 'json',
    columnTypes: {},
    expectedRows: null,
    ...options,
  })
}

export function settle(plan: TablePlan, rows: readonly Row[]) {
  const buffer = new RowBuffer(plan.hints())
  for (const row of rows) buffer.add(row)
  return plan.settle(buffer)
}

export function optional(name: string, type: LakeType | LakeType['kind']): ColumnSpec {
  return { name, type: typeof type === 'string' ? simple(type) : type, nullable: true }
}

function simple(kind: LakeType['kind']): LakeType {
  if (kind === 'decimal' || kind === 'list' || kind === 'struct')
    throw new TypeError(`${kind} needs more than its kind`)
  return { kind }
}

export function decimal(precision: number, scale: number): LakeType {
  return { kind: 'decimal', precision, scale }
}
