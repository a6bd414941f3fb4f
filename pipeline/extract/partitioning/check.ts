import { closest } from 'fastest-levenshtein'
import type { LakeType } from '../../../backends/schema.ts'
import { typeName } from '../../../backends/widening.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import type { PartitionSpec } from '../../state/model.ts'

/** A column by the lake's name; its type is null where only values will tell. */
export interface PartitionableColumn {
  readonly name: string
  readonly type: LakeType | null
}

type Kind = LakeType['kind']

const INTEGERS: readonly Kind[] = ['int8', 'int16', 'int32', 'int64']
const FRACTIONS: readonly Kind[] = ['float32', 'float64', 'decimal']
const TIMES: readonly Kind[] = ['date', 'timestamp', 'timestamptz']

/** Kinds whose values a bucket can be computed from; of all others every row would come into the bucket of those without a value. */
const NUMERICAL: ReadonlySet<Kind> = new Set([...INTEGERS, ...FRACTIONS])
const DATETIME: ReadonlySet<Kind> = new Set([...TIMES, ...INTEGERS, 'string'])

/**
 * Refuses a partitioning that a user chose for columns that aren't there, or whose type it makes no sense for.
 * @param columns all that the table is known to have, by the lake's names
 * @throws LakeduelError `CONFIG_INVALID`, naming the nearest column or the modes that fit
 */
export function assertPartitionable(
  table: string,
  spec: PartitionSpec,
  columns: readonly PartitionableColumn[],
): void {
  for (const name of partitionColumns(spec)) {
    if (!columns.some((column) => column.name === name)) throw unknownColumn(table, name, columns)
  }
  if (spec.mode === 'none' || spec.mode === 'md5') return
  const type = columns.find(({ name }) => name === spec.column)?.type ?? null
  const kinds = spec.mode === 'numerical' ? NUMERICAL : DATETIME
  if (type !== null && !kinds.has(type.kind)) throw wrongMode(table, spec, type)
}

function partitionColumns(spec: PartitionSpec): readonly string[] {
  switch (spec.mode) {
    case 'none':
      return []
    case 'md5':
      return spec.columns
    case 'numerical':
    case 'datetime':
      return [spec.column]
    case 'datetime_md5':
      return [spec.column, ...spec.columns]
  }
}

function unknownColumn(
  table: string,
  column: string,
  columns: readonly PartitionableColumn[],
): LakeduelError {
  const known = columns.map(({ name }) => name)
  const near = known.length === 0 ? '' : `Did you mean "${closest(column, known)}"? `
  return new LakeduelError(
    'CONFIG_INVALID',
    `Table ${table} has no column "${column}", which its partitioning names.`,
    {
      facts: { table, column, columns: known.slice(0, 100) },
      remedy: `${near}--partition takes the lake's names of columns, in snake_case.`,
    },
  )
}

function wrongMode(
  table: string,
  { mode, column }: Exclude<PartitionSpec, { mode: 'none' | 'md5' }>,
  type: LakeType,
): LakeduelError {
  const wanted = mode === 'numerical' ? 'numbers' : 'dates, times, texts of them or seconds since 1970'
  const fitting = [
    ...(mode !== 'numerical' && NUMERICAL.has(type.kind) ? [`numerical:${column}:SIZE`] : []),
    ...(mode === 'numerical' && DATETIME.has(type.kind) ? [`datetime:${column}:week`] : []),
    `md5:${column}:COUNT`,
  ]
  return new LakeduelError(
    'CONFIG_INVALID',
    `Column ${column} of table ${table} is ${typeName(type)}, and ${mode} partitions are computed from ${wanted}.`,
    {
      facts: { table, column, type: typeName(type), mode },
      remedy: `Use --partition ${fitting.join(' or ')}.`,
    },
  )
}
