import type { PgBoss } from 'pg-boss'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { AfterQueue } from '../queue/after-queue.ts'
import { startBoss } from '../queue/boss.ts'
import { LoadQueue } from '../queue/load-queue.ts'
import type { QueuePolicy } from '../queue/work-queue.ts'
import { Database } from './database.ts'
import { Extraction } from './extraction.ts'
import { Leases } from './leases.ts'
import { migrate } from './migrate.ts'
import { Notifications } from './notifications.ts'
import { thisProcess } from './owner.ts'
import { Runs } from './runs.ts'

export interface StateOptions {
  /** The Postgres schema of our tables; pg-boss's lie in `<schema>_queue`. */
  readonly schema?: string
  /** Whether this process does pg-boss's housekeeping: a worker does, a command that looks at runs doesn't. */
  readonly supervise?: boolean
  readonly connections?: number
  /** How long an extractor's lease holds without being renewed. */
  readonly leaseTtlMs?: number
  readonly queue?: Partial<QueuePolicy>
}

export const STATE_DEFAULTS = {
  schema: 'lakeduel',
  supervise: false,
  connections: 5,
  leaseTtlMs: 30_000,
  queue: { claimTtlMs: 12_000, maxAttempts: 3, maxLosses: 5, backoffMs: 15_000 },
} as const

/** pg-boss allows 50 characters, of which `_queue` takes six. */
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,43}$/

/** All that the pipeline remembers, and its queues. See `model.ts` for the words and the order of things. */
export interface State extends AsyncDisposable {
  readonly runs: Runs
  readonly leases: Leases
  readonly extraction: Extraction
  readonly load: LoadQueue
  readonly after: AfterQueue
}

/**
 * Connects, and brings the tables to this version.
 * @throws LakeduelError `STATE_TOO_NEW`, `POSTGRES_UNREACHABLE`, `POSTGRES_CREDENTIALS`, `CONFIG_INVALID`
 */
export async function openState(endpoint: PostgresEndpoint, options: StateOptions = {}): Promise<State> {
  const { schema, supervise, connections, leaseTtlMs } = { ...STATE_DEFAULTS, ...options }
  if (!SCHEMA_NAME.test(schema)) throw badSchema(schema)
  const schemas = { schema, queueSchema: `${schema}_queue` }
  await migrate(endpoint, schemas)
  const database = new Database(endpoint, { ...schemas, connections })
  try {
    const boss = await startBoss(database.boss, { schema: schemas.queueSchema, supervise })
    const notifications = new Notifications(endpoint, schema)
    const owner = await thisProcess()
    const policy = { ...STATE_DEFAULTS.queue, ...options.queue }
    const context = { database, boss, notifications, owner, policy }
    return {
      runs: new Runs(database, boss, notifications),
      leases: new Leases(database, notifications, owner, { ttlMs: leaseTtlMs }),
      extraction: new Extraction(database, boss),
      load: new LoadQueue(context),
      after: new AfterQueue(context),
      [Symbol.asyncDispose]: () => close(database, boss, notifications),
    }
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
}

async function close(database: Database, boss: PgBoss, notifications: Notifications): Promise<void> {
  await notifications[Symbol.asyncDispose]()
  await boss.stop({ graceful: false })
  await database[Symbol.asyncDispose]()
}

function badSchema(schema: string): LakeduelError {
  return new LakeduelError('CONFIG_INVALID', `'${schema}' can't be the schema of the state.`, {
    facts: { schema, pattern: SCHEMA_NAME.source },
    remedy: 'Use up to 44 lower case letters, digits and underscores, and no digit first.',
  })
}
