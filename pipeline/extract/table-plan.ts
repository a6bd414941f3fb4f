import type { ColumnSpec, LakeType } from '../../backends/schema.ts'
import { typeName } from '../../backends/widening.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { SourceTable } from '../sources/source.ts'
import type { PartitionSpec, RunSpec, SyncMode } from '../state/model.ts'
import { ColumnNames, plainName } from './naming/column-names.ts'
import { bucketsOf, PARTITION_COLUMN } from './partitioning/buckets.ts'
import { assertPartitionable } from './partitioning/check.ts'
import { choosePartition } from './partitioning/choose.ts'
import { sampleOf } from './partitioning/sample.ts'
import type { ColumnHint, RowBuffer } from './rows/row-buffer.ts'
import { wrapsScalars } from './types/infer.ts'
import { mergeColumns, settleType } from './types/settle.ts'

export interface TablePlanOptions {
  readonly table: SourceTable
  /** The columns that the lake's table has, in its order; empty for a new table and for a full refresh. */
  readonly known: readonly ColumnSpec[]
  /** The lake's names that the source's columns got in earlier runs. */
  readonly names: Iterable<readonly [string, string]>
  /** How the lake's table is partitioned; null chooses by the first rows of a new table. */
  readonly partition: PartitionSpec | null
  readonly mode: SyncMode
  /** By the source's names or the lake's. */
  readonly primaryKey: readonly string[]
  readonly incrementalField: string | null
  readonly nested: RunSpec['nested']
  readonly columnTypes: RunSpec['columnTypes']
  /** Rows of the whole table where they are known, for the number of partitions. */
  readonly expectedRows: number | null
}

/** A column of the lake with the buffered values that go into it. */
export interface SettledColumn extends ColumnSpec {
  readonly cells: readonly unknown[]
  /** Whether what is no list becomes a list of one. */
  readonly wraps: boolean
}

/** How a source's rows become the lake's columns, from a run's first row to its last. */
export class TablePlan {
  readonly #options: TablePlanOptions
  readonly #names: ColumnNames
  /** Types that the source declares or the user chose, by the lake's names: values are made to fit them. */
  readonly #given: ReadonlyMap<string, LakeType>
  #partition: PartitionSpec | null
  /** Whether no row of the table was settled before. */
  #isNew: boolean
  #columns: readonly ColumnSpec[]

  /** @throws LakeduelError `SCHEMA_MISMATCH` where declared or chosen types contradict those of the table */
  constructor(options: TablePlanOptions) {
    this.#options = options
    this.#names = new ColumnNames(options.names)
    const declared = options.table.columns ?? []
    this.#names.add(declared.map(({ name }) => name))
    const chosenTypes = new Map(Object.entries(options.columnTypes))
    const given = declared.flatMap(({ name: source, type: declaredType, nullable }) => {
      const name = this.lakeName(source)
      const type = chosenTypes.get(name) ?? declaredType
      return type === null ? [] : [{ name, type, nullable }]
    })
    const chosen = options.known.flatMap((column) => {
      const type = chosenTypes.get(column.name)
      return type === undefined ? [] : [{ ...column, type }]
    })
    this.#columns = mergeColumns(mergeColumns(options.known, chosen), given)
    this.#given = new Map([
      ...chosenTypes,
      ...given.map(({ name, type }): [string, LakeType] => [name, type]),
    ])
    this.#isNew = options.known.length === 0
    this.#partition = this.#isNew ? options.partition : storedPartition(options)
  }

  /** The table's columns so far, with {@link PARTITION_COLUMN} where it is partitioned. */
  get columns(): readonly ColumnSpec[] {
    return this.#columns
  }

  /** Null until the first rows were settled. */
  get partition(): PartitionSpec | null {
    return this.#partition
  }

  /** The lake's names so far, by the source's: what the next run has to know where rows have no declared columns. */
  get names(): ReadonlyMap<string, string> {
    return this.#names.given
  }

  /** Whether the types of all columns are known before any row, so that no row has to wait for others. */
  get isDeclared(): boolean {
    const { columns } = this.#options.table
    return columns !== null && columns.every(({ name }) => this.#given.has(this.lakeName(name)))
  }

  /** The lake's name of a source's column, or the one that it would get alone. */
  lakeName(source: string): string {
    return this.#names.given.get(source) ?? plainName(source)
  }

  /** A function, since a buffer asks for many columns at once. */
  hints(): (source: string) => ColumnHint {
    const known = typesOf(this.#columns)
    return (source) => {
      const name = this.lakeName(source)
      const given = this.#given.get(name)
      const stored = known.get(name) ?? given ?? null
      const keepsNested = stored === null ? this.#options.nested === 'struct' : isNested(stored)
      return { type: given === undefined ? null : stored, keepsNested }
    }
  }

  /**
   * Settles the types of the buffered rows, and with the first of them how the table is partitioned.
   * @returns a column for each of the table's, in its order, with a cell for each row; those that have held nothing but
   *   nulls since ever are left out
   * @throws LakeduelError `SCHEMA_MISMATCH`, `BATCH_INVALID`
   */
  settle(buffer: RowBuffer): readonly SettledColumn[] {
    const buffered = buffer.columns()
    this.#names.add(buffered.map(({ source }) => source))
    const hintOf = this.hints()
    const known = typesOf(this.#columns)
    const incoming = buffered.flatMap(({ source, seen }) => {
      const name = this.lakeName(source)
      const type = seen === null ? hintOf(source).type : settleType(name, known.get(name) ?? null, seen)
      return type === null ? [] : [{ name, type, nullable: true }]
    })
    const columns = mergeColumns(this.#columns, incoming)
    assertBucketsStay(this.#partition, known, columns)
    this.#columns = columns.length > 0 ? columns : this.#asText(buffered.map(({ source }) => source))
    return this.#withPartition(this.#settled(buffer), buffer)
  }

  #settled(buffer: RowBuffer): readonly SettledColumn[] {
    const buffered = new Map(buffer.columns().map((column) => [this.lakeName(column.source), column]))
    const nulls = Array.from({ length: buffer.rows }, () => null)
    return this.#columns
      .filter(({ name }) => name !== PARTITION_COLUMN)
      .map((column) => {
        const { cells = nulls, seen = null } = buffered.get(column.name) ?? {}
        return { ...column, cells, wraps: seen !== null && wrapsScalars(seen) }
      })
  }

  #withPartition(settled: readonly SettledColumn[], buffer: RowBuffer): readonly SettledColumn[] {
    if (this.#isNew && this.#partition !== null) this.#assertPartitionable(this.#partition, buffer)
    this.#isNew = false
    this.#partition ??= this.#choose(settled, buffer)
    if (this.#partition.mode === 'none') return settled
    const bucketOf = bucketsOf(this.#partition, new Map(settled.map((column) => [column.name, column])))
    const cells = Array.from({ length: buffer.rows }, (_, row) => bucketOf(row))
    const column: ColumnSpec = { name: PARTITION_COLUMN, type: { kind: 'string' }, nullable: false }
    if (!this.#columns.some(({ name }) => name === PARTITION_COLUMN))
      this.#columns = [...this.#columns, column]
    return [...settled, { ...column, cells, wraps: false }]
  }

  /** What was chosen may name a column that only the rows can tell of. One that has held nulls alone counts. */
  #assertPartitionable(chosen: PartitionSpec, buffer: RowBuffer): void {
    const types = typesOf(this.#columns)
    const buffered = buffer.columns().map(({ source }) => this.lakeName(source))
    const names = new Set([...types.keys(), ...buffered])
    const columns = Array.from(names, (name) => ({ name, type: types.get(name) ?? null }))
    assertPartitionable(this.#options.table.name, chosen, columns)
  }

  #choose(settled: readonly SettledColumn[], buffer: RowBuffer): PartitionSpec {
    const { table, mode, primaryKey, incrementalField, expectedRows } = this.#options
    const lakeName = (source: string) => this.lakeName(source)
    return choosePartition({
      mode,
      columns: settled,
      primaryKey: primaryKey.map(lakeName),
      incrementalField: incrementalField === null ? null : lakeName(incrementalField),
      hint:
        table.partition === null
          ? null
          : { ...table.partition, columns: table.partition.columns.map(lakeName) },
      sample: sampleOf(settled, buffer.payloadByRow),
      expectedRows,
    })
  }

  /** A table needs columns, even where its first rows are all null. */
  #asText(sources: readonly string[]): readonly ColumnSpec[] {
    if (sources.length > 0) {
      return sources.map((source) => ({
        name: this.lakeName(source),
        type: { kind: 'string' },
        nullable: true,
      }))
    }
    throw new LakeduelError('BATCH_INVALID', `The rows of ${this.#options.table.name} have no columns.`, {
      facts: { table: this.#options.table.name },
      remedy: 'Check the query or the file that the source reads.',
    })
  }
}

/** A table that isn't partitioned stays so. @throws LakeduelError `SCHEMA_MISMATCH` where one is, and nobody knows how */
function storedPartition({ table, known, partition }: TablePlanOptions): PartitionSpec {
  if (!known.some(({ name }) => name === PARTITION_COLUMN)) return { mode: 'none' }
  if (partition !== null) return partition
  throw new LakeduelError(
    'SCHEMA_MISMATCH',
    `The lake's table of ${table.name} is partitioned, but how its partitions were computed is not known.`,
    { facts: { table: table.name }, remedy: 'Read the table anew in a full refresh.' },
  )
}

/**
 * A hash is that of a value's text, so a key would leave its partition if a wider type wrote the value differently: `5` and
 * `5.0`, `1.50` and `1.500`.
 */
function assertBucketsStay(
  partition: PartitionSpec | null,
  known: ReadonlyMap<string, LakeType>,
  columns: readonly ColumnSpec[],
): void {
  if (partition === null || (partition.mode !== 'md5' && partition.mode !== 'datetime_md5')) return
  for (const { name, type } of columns) {
    const stored = known.get(name)
    if (stored === undefined || !partition.columns.includes(name) || hasSameText(stored, type)) continue
    throw new LakeduelError(
      'SCHEMA_MISMATCH',
      `Column ${name} is ${typeName(stored)} in the lake, and would have to become ${typeName(type)}; but the partitions are computed from it.`,
      {
        facts: { column: name, stored: typeName(stored), incoming: typeName(type) },
        remedy: 'Read the table anew in a full refresh, which takes the new type.',
      },
    )
  }
}

function hasSameText(stored: LakeType, type: LakeType): boolean {
  const scaleOf = (of: LakeType) =>
    of.kind === 'decimal' ? of.scale : of.kind.startsWith('int') ? 0 : of.kind
  return scaleOf(stored) === scaleOf(type) || (isText(stored) && isText(type))
}

function isText({ kind }: LakeType): boolean {
  return kind === 'string' || kind === 'json'
}

function isNested({ kind }: LakeType): boolean {
  return kind === 'list' || kind === 'struct'
}

function typesOf(columns: readonly ColumnSpec[]): ReadonlyMap<string, LakeType> {
  return new Map(columns.map(({ name, type }) => [name, type]))
}
