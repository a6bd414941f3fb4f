import { type Db, PgBoss } from 'pg-boss'

/** Batches, and the finish of each run, strictly in the order of each table. */
export const LOAD_QUEUE = 'lakeduel-load'
/** What follows a run that is done, in no order. */
export const AFTER_QUEUE = 'lakeduel-after'
export type QueueName = typeof LOAD_QUEUE | typeof AFTER_QUEUE

const DAY_SECONDS = 86_400

/**
 * How often something may be tried is decided by what is recorded with the work (`claims.ts`), since a loader that is
 * killed or hands its batch back has not failed. pg-boss only counts: its count names the claim.
 */
const QUEUE_SETTINGS = {
  retryLimit: 1_000_000,
  retryDelay: 0,
  // A queued batch that pg-boss deletes is a batch that never gets into its table.
  retentionSeconds: 3_650 * DAY_SECONDS,
  deleteAfterSeconds: DAY_SECONDS,
} as const

const QUIET = { schedule: false, registerInstance: false } as const

/** Creates pg-boss's tables in a schema of their own, and our queues. Changes nothing where they are there. */
export async function installQueues(db: Db, schema: string): Promise<void> {
  const boss = new PgBoss({ db, schema, supervise: false, ...QUIET })
  boss.on('error', () => undefined)
  await boss.start()
  try {
    await boss.createQueue(LOAD_QUEUE, { policy: 'key_strict_fifo', ...QUEUE_SETTINGS })
    await boss.createQueue(AFTER_QUEUE, { policy: 'standard', ...QUEUE_SETTINGS })
  } finally {
    await boss.stop({ graceful: false })
  }
}

export interface BossOptions {
  readonly schema: string
  /** Whether this process does pg-boss's housekeeping; one of all workers is enough, and several don't disturb each other. */
  readonly supervise: boolean
}

/** pg-boss on connections of ours, so that it takes part in our transactions. */
export async function startBoss(db: Db, { schema, supervise }: BossOptions): Promise<PgBoss> {
  const boss = new PgBoss({ db, schema, supervise, ...QUIET })
  // Its housekeeping in the background failed; the next round does it, and what matters is asked for in the foreground.
  boss.on('error', () => undefined)
  await boss.start()
  return boss
}
