import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier, literal } from '../../platform/duckdb/sql.ts'
import type { StagedRows } from '../duckdb/staged.ts'
import { duckDbSqlOf } from '../duckdb-sql.ts'
import type { TableSpec } from '../schema.ts'
import type { AttachedLake } from './catalog.ts'
import type { KeySurvey } from './keys.ts'
import type { DuckLakeSettings } from './settings.ts'

/** What a strategy works with, inside the open transaction of a batch. */
export interface UpsertContext {
  readonly lake: AttachedLake
  readonly session: DuckDbSession
  readonly spec: TableSpec
  /** The table's qualified name. */
  readonly target: string
  readonly settings: DuckLakeSettings
  /** Takes the URIs of files that are the table's once the transaction is committed, and nobody's when it fails. */
  readonly registered: string[]
}

export interface RowCounts {
  readonly rowsInserted: number | null
  readonly rowsUpdated: number | null
  readonly statements: number
}

/** Applies the rows of a batch to the table by their keys. */
export type UpsertStrategy = (
  context: UpsertContext,
  staged: StagedRows,
  survey: KeySurvey,
) => Promise<RowCounts>

/** A condition that names the batch's partitions as literals, so that DuckLake plans with their files only. */
export function partitionCondition(spec: TableSpec, survey: KeySurvey, alias: string): string {
  const column = spec.columns.find(({ name }) => name === spec.partitionBy)
  if (column === undefined || survey.partitionLiterals === null) return 'true'
  const type = duckDbSqlOf(column.type)
  const values = survey.partitionLiterals.map((value) => `CAST(${literal(value)} AS ${type})`)
  return `${alias}.${identifier(column.name)} IN (${values.join(', ')})`
}

export function columnList(spec: TableSpec): string {
  return spec.columns.map(({ name }) => identifier(name)).join(', ')
}
