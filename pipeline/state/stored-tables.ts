import { z } from 'zod'
import { type ColumnSpec, columnSchema } from '../../backends/schema.ts'
import type { JsonValue } from '../sources/source.ts'
import type { Database } from './database.ts'
import { type Destination, type PartitionSpec, partitionSpecSchema, type RunSpec } from './model.ts'
import { destinationKey } from './run-row.ts'

/** A lake table as the last run that is done left it. */
export interface StoredTable {
  readonly columns: readonly ColumnSpec[]
  readonly primaryKey: readonly string[]
  readonly partition: PartitionSpec | null
  /** Up to where it was read; null where no run had a mark. */
  readonly mark: JsonValue
  readonly lastRunId: string
  readonly updatedAt: Date
}

const tableRowSchema = z
  .object({
    columns: z.array(columnSchema),
    primary_key: z.array(z.string()),
    partition: partitionSpecSchema.nullable(),
    mark: z.json(),
    run_id: z.string(),
    updated_at: z.date(),
  })
  .transform(
    (row): StoredTable => ({
      columns: row.columns,
      primaryKey: row.primary_key,
      partition: row.partition,
      mark: row.mark,
      lastRunId: row.run_id,
      updatedAt: row.updated_at,
    }),
  )

/** Null when no run into it is done. */
export async function storedTable(database: Database, destination: Destination): Promise<StoredTable | null> {
  const [table] = await database.rows(tableRowSchema, 'SELECT * FROM tables WHERE destination = $1', [
    destinationKey(destination),
  ])
  return table ?? null
}

/** A lake table that another one may be read with. */
export interface SyncedTable {
  readonly table: string
  /** By the lake's names. */
  readonly primaryKey: readonly string[]
}

/**
 * Where a table of a source went in the lake and format of a destination, by the last run of it that is done; null where
 * there is none.
 */
export async function syncedFrom(
  database: Database,
  source: Pick<RunSpec['source'], 'name' | 'table'>,
  { lake, arm }: Destination,
): Promise<SyncedTable | null> {
  const [table] = await database.rows(
    z.object({ table: z.string(), primary_key: z.array(z.string()) }),
    `SELECT spec->'destination'->>'table' AS table, spec->'primaryKey' AS primary_key FROM runs
     WHERE status = 'done' AND spec->'source'->>'name' = $1 AND spec->'source'->>'table' = $2 AND starts_with(destination, $3)
     ORDER BY finished_at DESC LIMIT 1`,
    [source.name, source.table, destinationKey({ arm, lake, table: '', settings: {} })],
  )
  return table === undefined ? null : { table: table.table, primaryKey: table.primary_key }
}
