import { z } from 'zod'
import { type ColumnSpec, columnSchema } from '../../backends/schema.ts'
import { LakeduelError } from '../../platform/errors.ts'
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

const STORED = 'SELECT * FROM tables WHERE destination = $1'

/** Null when no run into it is done. */
export async function storedTable(database: Database, destination: Destination): Promise<StoredTable | null> {
  const [table] = await database.rows(tableRowSchema, STORED, [destinationKey(destination)])
  return table ?? null
}

/** A lake table that another one may be read with. */
export interface SyncedTable {
  readonly table: string
  /** By the lake's names. */
  readonly primaryKey: readonly string[]
}

/**
 * Where a table of a source went in the lake and format of a destination, or was carried over to, by what is stored there as
 * the last run that is done left it; null where there is none.
 */
export async function syncedFrom(
  database: Database,
  source: Pick<RunSpec['source'], 'name' | 'table'>,
  { lake, arm }: Destination,
): Promise<SyncedTable | null> {
  const inLake = destinationKey({ arm, lake, table: '', settings: {} })
  const [table] = await database.rows(
    z.object({ destination: z.string(), primary_key: z.array(z.string()) }),
    `SELECT tables.destination, tables.primary_key FROM tables JOIN runs USING (run_id)
     WHERE spec->'source'->>'name' = $1 AND spec->'source'->>'table' = $2 AND starts_with(tables.destination, $3)
     ORDER BY tables.updated_at DESC LIMIT 1`,
    [source.name, source.table, inLake],
  )
  return table === undefined
    ? null
    : { table: table.destination.slice(inLake.length), primaryKey: table.primary_key }
}

/**
 * Lets the next sync into a table go on where that into another one stopped, whose rows were moved there. Unfinished runs are
 * locked, so that none of them finishes meanwhile.
 * @throws LakeduelError `TABLE_NOT_FOUND` when no run into the first is done, `RUN_IN_PROGRESS` when one of either is
 *   unfinished, `CONFIG_INVALID` when the second has been synced by itself
 */
export async function carryOver(
  database: Database,
  from: Destination,
  to: Destination,
): Promise<StoredTable> {
  const [source, target] = [destinationKey(from), destinationKey(to)]
  return database.transaction(async (transaction) => {
    const [unfinished] = await transaction.rows(z.object({ run_id: z.string() }), UNFINISHED, [
      source,
      target,
    ])
    if (unfinished !== undefined) throw isUnfinished(unfinished.run_id)
    const [before] = await transaction.rows(tableRowSchema, STORED, [source])
    if (before === undefined) throw neverSynced(source)
    const [carried] = await transaction.rows(tableRowSchema, CARRY, [source, target])
    if (carried === undefined) throw syncedByItself(target)
    return carried
  })
}

const UNFINISHED = `
  SELECT run_id FROM runs WHERE destination IN ($1, $2) AND status IN ('active', 'failed') FOR NO KEY UPDATE`

const CARRY = `
  INSERT INTO tables (destination, columns, primary_key, partition, mark, run_id)
  SELECT $2, columns, primary_key, partition, mark, run_id FROM tables WHERE destination = $1
  ON CONFLICT (destination) DO NOTHING RETURNING *`

function isUnfinished(runId: string): LakeduelError {
  return new LakeduelError('RUN_IN_PROGRESS', `Run ${runId} is unfinished.`, {
    facts: { runId },
    remedy: `Go on with its sync until it is done, or end it with \`lakeduel runs cancel ${runId}\`.`,
  })
}

function neverSynced(destination: string): LakeduelError {
  return new LakeduelError('TABLE_NOT_FOUND', `No sync into ${destination} is done.`, {
    facts: { destination },
    remedy: 'Check the names of the lake and the table with `lakeduel runs list`.',
  })
}

function syncedByItself(destination: string): LakeduelError {
  return new LakeduelError('CONFIG_INVALID', `${destination} has been synced already.`, {
    facts: { destination },
    remedy: 'Its next sync goes on by itself.',
  })
}
