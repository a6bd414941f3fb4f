import { z } from 'zod'
import { literal } from '../../platform/duckdb/sql.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { Lake } from '../lake/lake.ts'
import { sqlName, stateName, type TableName } from '../lake/table-name.ts'
import { MODES } from '../plan/decide.ts'

/**
 * Whose the registered files are:
 * - `guarded`: the Delta table's; the catalog keeps DuckLake from deleting them;
 * - `copied`: DuckLake has copies of its own;
 * - `owned`: DuckLake's, which deletes them like any of its files.
 */
export const OWNERSHIPS = ['guarded', 'copied', 'owned'] as const
export type Ownership = (typeof OWNERSHIPS)[number]

/**
 * What a migration knows of itself, in the catalog, committed with what it tells of:
 * - `moving`: some batches of the base version are in the table that is being filled;
 * - `moved`: all of them are, its columns have their names, and further versions may be applied;
 * - `done`: it has the name that was asked for; a follower may apply further versions still.
 */
const stateSchema = z.strictObject({
  format: z.literal(1),
  id: z.string(),
  source: z.strictObject({ uri: z.string(), tableId: z.string() }),
  /** Of the Delta table, that the lake table has or is being filled with. */
  version: z.int().nonnegative(),
  /** The first version that the lake has; the same one without a history. */
  base: z.int().nonnegative(),
  /** The version at which the table gets its name. */
  goal: z.int().nonnegative(),
  mode: z.enum(MODES),
  ownership: z.enum(OWNERSHIPS),
  /** Of the plan: a run that resumes must come to the same one. */
  digest: z.string(),
  batches: z.int().nonnegative(),
  batchesDone: z.int().nonnegative(),
  status: z.enum(['moving', 'moved', 'done']),
  startedAt: z.string(),
})
export type MigrationState = Readonly<z.infer<typeof stateSchema>>

/** The state of the migration that makes a lake table, or null where none does. */
export async function loadState(lake: Lake, target: TableName): Promise<MigrationState | null> {
  if (!(await tableExists(lake, stateName(target)))) return null
  const rows = await lake.session.query(
    z.object({ content: z.string() }),
    `SELECT content FROM ${sqlName(stateName(target))}`,
  )
  const [first] = rows
  return first === undefined ? null : parseState(first.content, target)
}

/**
 * The state of a migration that is done.
 * @throws LakeduelError `TABLE_NOT_FOUND` where there is none, `MIGRATION_REFUSED` where it is under way
 */
export async function loadFinished(lake: Lake, target: TableName): Promise<MigrationState> {
  const state = await loadState(lake, target)
  if (state === null) throw noMigration(target)
  if (state.status === 'done') return state
  throw new LakeduelError(
    'MIGRATION_REFUSED',
    `The migration to ${target.schema}.${target.table} isn't done yet.`,
    {
      facts: { ...target, status: state.status, batchesDone: state.batchesDone, batches: state.batches },
      remedy: 'Run it again, and it goes on where it was.',
    },
  )
}

export function noMigration({ schema, table }: TableName): LakeduelError {
  return new LakeduelError('TABLE_NOT_FOUND', `No migration to ${schema}.${table} is known to the catalog.`, {
    facts: { schema, table },
    remedy: 'Name the table as it was given to `lakeduel migrate run`.',
  })
}

function parseState(content: string, target: TableName): MigrationState {
  const parsed = stateSchema.safeParse(JSON.parse(content))
  if (parsed.success) return parsed.data
  throw new LakeduelError('STATE_TOO_NEW', `The state of the migration to ${target.table} can't be read.`, {
    facts: { table: stateName(target).table, problem: z.prettifyError(parsed.error) },
    remedy: 'Go on with the lakeduel that began it, or a newer one.',
  })
}

/** Makes the table of states with the first one, in the open transaction. */
export async function createState(lake: Lake, target: TableName, state: MigrationState): Promise<void> {
  const name = sqlName(stateName(target))
  await lake.session.run(`CREATE TABLE ${name} (content VARCHAR)`)
  await lake.session.run(`INSERT INTO ${name} VALUES (${literal(JSON.stringify(state))})`)
}

/**
 * Puts a state in the place of another by compare-and-set, in the open transaction: of two migrators one fails here, or when
 * it commits.
 * @throws LakeduelError `COMMIT_CONFLICT`
 */
export async function replaceState(
  lake: Lake,
  target: TableName,
  before: MigrationState,
  after: MigrationState,
): Promise<void> {
  const changed = await lake.session.run(
    `UPDATE ${sqlName(stateName(target))} SET content = ${literal(JSON.stringify(after))} WHERE content = ${literal(JSON.stringify(before))}`,
  )
  if (changed === 1) return
  throw new LakeduelError('COMMIT_CONFLICT', `Another migration to ${target.table} has gone on meanwhile.`, {
    facts: { ...target, migration: before.id },
    remedy: 'Let it end; running this one again then changes nothing.',
  })
}

/** Whether there is a table or view of that name, in any case, in the last snapshot. */
export async function tableExists(
  { session, metadata }: Lake,
  { schema, table }: TableName,
): Promise<boolean> {
  // From the catalog's own tables, since DuckDB's lists read the statistics of all tables.
  const named = (kind: 'table' | 'view') =>
    `SELECT ${kind}_name AS name FROM ${metadata}.ducklake_${kind} AS named
     JOIN ${metadata}.ducklake_schema AS s ON s.schema_id = named.schema_id AND s.end_snapshot IS NULL
     WHERE named.end_snapshot IS NULL AND lower(s.schema_name) = lower(${literal(schema)})
       AND lower(${kind}_name) = lower(${literal(table)})`
  const rows = await session.query(
    z.object({ name: z.string() }),
    `${named('table')} UNION ALL ${named('view')}`,
  )
  return rows.length > 0
}
