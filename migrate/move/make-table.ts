import { LAKE } from '../../backends/ducklake/catalog.ts'
import { tableOptions } from '../../backends/ducklake/settings.ts'
import { identifier, literal } from '../../platform/duckdb/sql.ts'
import type { Lake } from '../lake/lake.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import { partitionFields, type TablePlan } from '../plan/plan.ts'
import { nameOf, sqlOf } from '../plan/types.ts'

/** Makes the empty table that is filled, in the open transaction. */
export async function makeTable({ session }: Lake, name: TableName, plan: TablePlan): Promise<void> {
  const { naming } = plan
  const columns = plan.columns.map(
    ({ field, nullable }) =>
      `${identifier(nameOf(field, naming))} ${sqlOf(field.type, naming)}${nullable ? '' : ' NOT NULL'}`,
  )
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${LAKE}.${identifier(name.schema)}`)
  await session.run(`CREATE TABLE ${sqlName(name)} (${columns.join(', ')})`)
  const partitions = partitionFields(plan.snapshot).map((field) => identifier(nameOf(field, naming)))
  if (partitions.length > 0) {
    await session.run(`ALTER TABLE ${sqlName(name)} SET PARTITIONED BY (${partitions.join(', ')})`)
  }
}

/** Outside of a transaction, since DuckLake takes options only of a table that is committed. */
export async function setTableOptions(
  { session, settings }: Lake,
  { schema, table }: TableName,
): Promise<void> {
  for (const [option, value] of Object.entries(tableOptions(settings))) {
    await session.run(
      `CALL ${LAKE}.set_option(${literal(option)}, ${literal(value)}, schema => ${literal(schema)}, table_name => ${literal(table)})`,
    )
  }
}
