import { escapedGlob, identifier, literal, literalList } from '../../platform/duckdb/sql.ts'
import type { Lake } from '../lake/lake.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import type { DeltaField } from '../log/schema.ts'
import type { FilePlan } from '../plan/file-plan.ts'
import { partitionSql } from '../plan/partition-values.ts'
import { partitionFields } from '../plan/plan.ts'
import type { FilesPlan } from '../plan/plan-files.ts'
import { nameOf } from '../plan/types.ts'
import { DELETED, type DeletedRows } from '../register/deleted-rows.ts'
import type { RewrittenRanges } from './ranges.ts'
import { POSITION, ROWS, type SelectedColumn, selectedColumns } from './selection.ts'

/** What DuckDB is to call the path of a row's file, since a column of the table may be called `filename`. */
const FILE = '__lakeduel_file'
/** The session's table of partition values: `file`, and `value_0` and on, in the order of the partition columns. */
const PARTITIONS = 'lakeduel_partition'

/**
 * Compressed bytes that one statement rewrites: what has to be rewritten again when one of its files goes. Each statement
 * ends by waiting for its last thread and upload, so that few large ones are faster: 5 GB within 1 GiB took 52 s in statements of
 * 287 MiB, and 75 s in ones of 128 MiB. But one of 512 MiB was killed there, so it grows with DuckDB's `memory_limit`.
 */
const LEAST_BYTES_PER_STATEMENT = 128 * 2 ** 20
const STATEMENT_SHARE_OF_MEMORY = 0.8

/**
 * Writes the rows of data files to the lake table, in the open transaction, as Delta would read them: partition values from
 * the log, deleted rows left out. Rows stream through; nothing of them is held but what DuckDB buffers.
 * @param start the row id of the first row
 * @returns the rows written
 */
export async function rewriteFiles(
  lake: Lake,
  target: TableName,
  plan: RowPlan,
  files: readonly FilePlan[],
  { deleted, ranges, start }: RewriteMeans,
): Promise<number> {
  let next = start
  const { memoryLimitBytes } = lake.settings
  const maxBytes = Math.max(LEAST_BYTES_PER_STATEMENT, memoryLimitBytes * STATEMENT_SHARE_OF_MEMORY)
  for (const group of groupsOf(files, maxBytes)) {
    const rows = await rewriteGroup(lake, target, plan, group, deleted)
    if (rows > 0n) await ranges.record(group, next, rows)
    next += rows
  }
  return Number(next - start)
}

/** What a rewrite has to know of a table. */
export type RowPlan = Pick<FilesPlan, 'snapshot' | 'columns' | 'naming' | 'fileColumns'>

export interface RewriteMeans {
  readonly deleted: DeletedRows
  readonly ranges: RewrittenRanges
  readonly start: bigint
}

async function rewriteGroup(
  { session }: Lake,
  target: TableName,
  plan: RowPlan,
  files: readonly FilePlan[],
  deleted: DeletedRows,
): Promise<bigint> {
  const columns = plan.columns.map(({ field }) => identifier(nameOf(field, plan.naming))).join(', ')
  const deletes = await deleted.load(session, files)
  const partitions = new PartitionValues(partitionFields(plan.snapshot), files)
  for (const statement of partitions.statements()) await session.run(statement)
  const select = selectOf(plan, files, partitions, deletes > 0)
  return BigInt(await session.run(`INSERT INTO ${sqlName(target)} (${columns}) ${select}`))
}

/** One schema each, in the order of the files. */
function groupsOf(files: readonly FilePlan[], maxBytes: number): readonly (readonly FilePlan[])[] {
  const groups: FilePlan[][] = []
  for (const sameSchema of Map.groupBy(files, ({ footer }) => footer.schema.id).values()) {
    let bytes = Number.POSITIVE_INFINITY
    for (const file of sameSchema) {
      bytes += file.footer.bytes
      const last = groups.at(-1)
      if (last === undefined || bytes > maxBytes) {
        groups.push([file])
        bytes = file.footer.bytes
      } else {
        last.push(file)
      }
    }
  }
  return groups
}

/** A query for the live rows of files with one schema. */
function selectOf(
  plan: RowPlan,
  files: readonly FilePlan[],
  partitions: PartitionValues,
  hasDeletes: boolean,
): string {
  const selected = selectedColumns(plan, plan.fileColumns.get(files[0]?.footer.schema.id ?? '') ?? [])
  const named = partitions.differ || hasDeletes
  const paths = literalList(files.map(({ file }) => escapedGlob(file.uri)))
  const options = `hive_partitioning = false${named ? `, filename = ${literal(FILE)}` : ''}`
  const file = `${ROWS}.${FILE}`
  return [
    `SELECT ${selected.map((column) => partitions.expressionOf(column)).join(', ')}`,
    `FROM read_parquet(${paths}, ${options}) AS ${ROWS}`,
    ...(partitions.differ ? [`JOIN ${PARTITIONS} ON ${PARTITIONS}.file = ${file}`] : []),
    ...(hasDeletes
      ? [`ANTI JOIN ${DELETED} ON ${DELETED}.file = ${file} AND ${DELETED}.position = ${ROWS}.${POSITION}`]
      : []),
  ].join('\n')
}

/** The partition values of some files: literals where all of them have the same ones, else a small table to join. */
class PartitionValues {
  readonly #fields: readonly DeltaField[]
  readonly #files: readonly FilePlan[]
  /** Whether the files have different values. */
  readonly differ: boolean

  constructor(fields: readonly DeltaField[], files: readonly FilePlan[]) {
    this.#fields = fields
    this.#files = files
    this.differ = new Set(files.map((file) => JSON.stringify(this.#valuesOf(file)))).size > 1
  }

  /** What must be run before the query. */
  statements(): readonly string[] {
    if (!this.differ) return []
    const rows = this.#files.map(
      (file) => `(${[literal(file.file.uri), ...this.#valuesOf(file)].join(', ')})`,
    )
    const columns = ['file', ...this.#fields.map((_, index) => `value_${index}`)]
    return [
      `CREATE OR REPLACE TEMP TABLE ${PARTITIONS} AS FROM (VALUES ${rows.join(', ')}) AS v(${columns.join(', ')})`,
    ]
  }

  expressionOf({ column, sql }: SelectedColumn): string {
    if (sql !== null) return sql
    const index = this.#fields.findIndex(({ name }) => name === column.field.name)
    if (this.differ) return `${PARTITIONS}.value_${index}`
    const [first] = this.#files
    return (first === undefined ? undefined : this.#valuesOf(first)[index]) ?? 'NULL'
  }

  #valuesOf({ file }: FilePlan): readonly string[] {
    return this.#fields.map((field) => partitionSql(field, file.partitionValues[field.physicalName] ?? null))
  }
}
