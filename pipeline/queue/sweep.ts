import { z } from 'zod'
import type { Statements } from '../state/database.ts'
import type { RunFailure } from '../state/model.ts'
import { notify } from '../state/notifications.ts'
import { isGone, ownerSchema, ownerText } from '../state/owner.ts'
import type { QueueName } from './boss.ts'
import { giveUp, lockRun } from './claim.ts'
import { correctDueTimes, putBack } from './jobs.ts'
import type { QueueContext, QueuePolicy } from './work-queue.ts'

/**
 * Work that someone has. `claimed` is false where a worker fetched the message and died before it claimed the work.
 * A claim has ended, too, when its end lies further ahead than it can: the clock was set back since.
 */
const ACTIVE = `
  SELECT work.work_id, work.run_id, job.retry_count AS count, held.claimed, work.owner,
    CASE WHEN held.claimed THEN work.expires_at NOT BETWEEN clock_timestamp() AND clock_timestamp() + work.ttl
      ELSE job.heartbeat_on NOT BETWEEN clock_timestamp() - $2::float8 * interval '1 ms' AND clock_timestamp()
    END AS ended
  FROM job JOIN work ON work.work_id = job.id,
    LATERAL (SELECT work.claim = job.retry_count AND work.expires_at IS NOT NULL AS claimed) AS held
  WHERE job.name = $1 AND job.state = 'active' AND work.status = 'open'`

const activeSchema = z.object({
  work_id: z.string(),
  run_id: z.string(),
  count: z.int(),
  claimed: z.boolean().nullable(),
  owner: ownerSchema.nullable(),
  ended: z.boolean(),
})
type ActiveWork = z.output<typeof activeSchema>

/** Lets work be claimed anew whose worker died or gave no sign of life. Any worker does this for all. */
export async function sweep({ database, policy }: QueueContext, queue: QueueName): Promise<void> {
  await correctDueTimes(database, queue, policy.backoffMs * 2 ** policy.maxAttempts)
  for (const work of await database.rows(activeSchema, ACTIVE, [queue, policy.claimTtlMs])) {
    if (!work.ended && !(work.claimed && work.owner !== null && (await isGone(work.owner)))) continue
    await database.transaction(async (transaction) => {
      await release(transaction, queue, work, policy)
      await notify(transaction, database.schema, 'work', 'runs')
    })
  }
}

async function release(
  transaction: Statements,
  queue: QueueName,
  work: ActiveWork,
  policy: QueuePolicy,
): Promise<void> {
  const claim = { workId: work.work_id, runId: work.run_id, count: work.count }
  if (!work.claimed) return putBack(transaction, queue, claim, 0)
  await lockRun(transaction, claim.runId)
  const failure = lostFailure(work, policy)
  const [lost] = await transaction.rows(
    z.object({ status: z.enum(['open', 'dead']) }),
    `UPDATE work SET losses = losses + 1, expires_at = NULL,
       status = CASE WHEN losses + 1 - forgiven >= $3 THEN 'dead' ELSE status END,
       failure = CASE WHEN losses + 1 - forgiven >= $3 THEN $4 ELSE failure END
     WHERE work_id = $1 AND claim = $2 AND expires_at IS NOT NULL AND status = 'open' RETURNING status`,
    [claim.workId, claim.count, policy.maxLosses, JSON.stringify(failure)],
  )
  if (lost?.status === 'open') await putBack(transaction, queue, claim, 0)
  if (lost?.status === 'dead') await giveUp(transaction, queue, claim, failure)
}

function lostFailure({ owner }: ActiveWork, { maxLosses }: QueuePolicy): RunFailure {
  const last = owner === null ? '' : ` The last one was ${ownerText(owner)}.`
  return {
    class: 'system',
    code: 'workers_lost',
    message: `${maxLosses} workers died or fell silent while they had this work.${last}`,
    remedy: 'See why they ended (memory, the machine), then revive the run with `lakeduel runs retry`.',
    bundle: null,
  }
}
