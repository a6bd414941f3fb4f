import { identifier } from '../../platform/duckdb/sql.ts'
import type { StagedRows } from '../duckdb/staged.ts'
import type { TableSpec } from '../schema.ts'
import type { KeySurvey } from './keys.ts'
import { groupParts, joinCondition, rowsOf } from './keys.ts'
import type { RowCounts, UpsertContext, UpsertStrategy } from './strategy.ts'
import { columnList, partitionCondition } from './strategy.ts'

/**
 * `ducklake/merge`: MERGE INTO, one statement for each group of parts, all of them in the batch's transaction.
 *
 * Every column is set from the batch, so that DuckDB reads only the key columns of the table. That is why there is no
 * `WHEN MATCHED AND <changed>` either: it would read the stored row, megabytes of JSON, to save rewriting the few that
 * did not change.
 */
export const applyByMerge: UpsertStrategy = async (context, staged, survey) => {
  const { spec } = context
  return merge(context, staged, survey, `WHEN MATCHED THEN UPDATE SET ${assignments(spec)} ${whenNew(spec)}`)
}

/** Adds the rows whose keys are not stored; every strategy does it so. */
export const insertNewKeys: UpsertStrategy = async (context, staged, survey) =>
  merge(context, staged, survey, whenNew(context.spec))

async function merge(
  { session, spec, target, settings }: UpsertContext,
  staged: StagedRows,
  survey: KeySurvey,
  actions: string,
): Promise<RowCounts> {
  const groups = groupParts(staged.parts, settings.statementPayloadBytes)
  const condition = `${joinCondition(spec, 'stored', 'batch')} AND ${partitionCondition(spec, survey, 'stored')}`
  for (const parts of groups) {
    await session.run(
      `MERGE INTO ${target} AS stored USING (${rowsOf(staged, parts, survey)}) AS batch ON ${condition} ${actions}`,
    )
  }
  return { rowsInserted: null, rowsUpdated: null, statements: groups.length }
}

function whenNew(spec: TableSpec): string {
  return `WHEN NOT MATCHED THEN INSERT (${columnList(spec)}) VALUES (${values(spec)})`
}

function assignments(spec: TableSpec): string {
  return spec.columns.map(({ name }) => `${identifier(name)} = batch.${identifier(name)}`).join(', ')
}

function values(spec: TableSpec): string {
  return spec.columns.map(({ name }) => `batch.${identifier(name)}`).join(', ')
}
