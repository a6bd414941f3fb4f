import type { ColumnSpec, LakeType } from '../../../backends/schema.ts'
import type { PartitionHint } from '../../sources/source.ts'
import type { PartitionSpec, SyncMode } from '../../state/model.ts'

/** What a partition should hold: a merge reads and writes whole partitions. */
const TARGET_BYTES = 200 * 1024 ** 2
/** Names of a time that a row gets once and keeps, in the order in which they are looked for. */
const CREATION_COLUMNS = ['created_at', 'inserted_at'] as const
/** A key counts up when its values fill at least this share of their range. */
const MIN_DENSITY = 0.2
const FORMAT = 'week'

/** The rows that are at hand when the choice is made: those of the first batch. */
export interface Sample {
  readonly rows: number
  readonly payloadBytes: number
  hasValues(column: string): boolean
  /**
   * Of a column of whole numbers: how many there are from the least to the greatest value, both included; 0 where there is
   * no value.
   */
  spanOf(column: string): number
}

export interface PartitionRequest {
  readonly mode: SyncMode
  /** By the lake's names, as is everything here. */
  readonly columns: readonly ColumnSpec[]
  readonly primaryKey: readonly string[]
  readonly incrementalField: string | null
  /** What the source proposes. */
  readonly hint: PartitionHint | null
  readonly sample: Sample
  /** Rows of the whole table where they are known, else null. */
  readonly expectedRows: number | null
}

/**
 * How a new table is partitioned: as its source proposes, else by the time of creation, by the incremental field, by a key
 * that counts up, or by a hash of the key. Not at all where there is neither a proposal nor a key.
 */
export function choosePartition(request: PartitionRequest): PartitionSpec {
  const { hint, primaryKey } = request
  if (hint !== null) return proposed(request, hint) ?? automatic(request)
  return primaryKey.length === 0 ? { mode: 'none' } : automatic(request)
}

function proposed(request: PartitionRequest, { mode, columns }: PartitionHint): PartitionSpec | null {
  const [first, ...rest] = columns
  if (first === undefined) return null
  switch (mode) {
    case 'md5':
      return { mode, columns: [...columns], count: bucketCount(request) }
    case 'numerical':
      return numerical(request, first)
    case 'datetime':
      return { mode, column: first, format: FORMAT }
    case 'datetime_md5':
      return {
        mode,
        column: first,
        format: FORMAT,
        columns: rest.length > 0 ? rest : [first],
        count: bucketCount(request),
      }
  }
}

function automatic(request: PartitionRequest): PartitionSpec {
  const column = timeColumn(request)
  if (column !== null) return { mode: 'datetime', column, format: FORMAT }
  const [key, ...more] = request.primaryKey
  if (key === undefined) return { mode: 'none' }
  const byNumber = more.length === 0 ? numerical(request, key) : null
  return byNumber ?? { mode: 'md5', columns: [...request.primaryKey], count: bucketCount(request) }
}

/**
 * An upsert can't be partitioned by its incremental field unless that is a part of the key: where a row changes, so does
 * the time of its last change, and a key must stay in its partition.
 */
function timeColumn(request: PartitionRequest): string | null {
  const { mode, incrementalField: field, primaryKey } = request
  const incremental = field !== null && (mode !== 'incremental' || primaryKey.includes(field)) ? [field] : []
  return [...CREATION_COLUMNS, ...incremental].find((name) => isTime(request, name)) ?? null
}

function isTime({ columns, sample }: PartitionRequest, name: string): boolean {
  const kind = columns.find((column) => column.name === name)?.type.kind
  return (kind === 'timestamp' || kind === 'timestamptz' || kind === 'date') && sample.hasValues(name)
}

/** Null where the key is no whole number or has too wide gaps. */
function numerical(request: PartitionRequest, column: string): PartitionSpec | null {
  const { sample } = request
  const type = request.columns.find(({ name }) => name === column)?.type
  if (type === undefined || !isWhole(type)) return null
  const span = sample.spanOf(column)
  if (span === 0 || sample.rows / span < MIN_DENSITY) return null
  return { mode: 'numerical', column, size: Math.max(1, Math.floor(TARGET_BYTES / bytesPerRow(sample))) }
}

function isWhole({ kind }: LakeType): boolean {
  return kind === 'int8' || kind === 'int16' || kind === 'int32' || kind === 'int64'
}

function bucketCount({ sample, expectedRows }: PartitionRequest): number {
  const bytes = bytesPerRow(sample) * Math.max(sample.rows, expectedRows ?? 0)
  return Math.max(1, Math.ceil(bytes / TARGET_BYTES))
}

function bytesPerRow({ rows, payloadBytes }: Sample): number {
  return Math.max(1, payloadBytes / Math.max(1, rows))
}
