/**
 * What pg-boss has no call for, in statements on its table `job`. All of them run in the transaction that changes the
 * `work` row of the same id, so that the two never disagree.
 */
import type { Statements } from '../state/database.ts'
import { AFTER_QUEUE, LOAD_QUEUE, type QueueName } from './boss.ts'

/** pg-boss ends what runs for longer than 24 h, alive or not; whether it is alive is told by its heartbeats alone. */
const EXPIRE_SECONDS = 365 * 86_400

const QUEUES = [LOAD_QUEUE, AFTER_QUEUE]

/** An active job, and which time of being active this is. */
interface ClaimedJob {
  readonly workId: string
  readonly count: number
}

/**
 * Puts a job that was just sent behind all others of its key, whatever the clock says: pg-boss orders them by the moment
 * of sending, and a clock that was set back would let a batch pass its predecessor.
 */
export async function placeLast(statements: Statements, queue: QueueName, workId: string): Promise<void> {
  await statements.run(
    `UPDATE job AS sent SET expire_seconds = $3, created_on = greatest(sent.created_on, (
       SELECT max(other.created_on) + interval '1 microsecond' FROM job AS other
       WHERE other.name = $1 AND other.singleton_key = sent.singleton_key AND other.id <> sent.id
     )) WHERE sent.name = $1 AND sent.id = $2`,
    [queue, workId, EXPIRE_SECONDS],
  )
}

/** Lets an active job be claimed again, after a while. It keeps its place, and its successors keep waiting. */
export async function putBack(
  statements: Statements,
  queue: QueueName,
  claimed: ClaimedJob,
  delayMs: number,
): Promise<void> {
  await statements.run(
    `UPDATE job SET state = 'retry', start_after = clock_timestamp() + $4::float8 * interval '1 ms'
     WHERE name = $1 AND id = $2 AND retry_count = $3 AND state = 'active'`,
    [queue, claimed.workId, claimed.count, delayMs],
  )
}

/** Leaves a job that can't be done in its place, where it keeps its successors waiting until it is revived. */
export async function bury(statements: Statements, queue: QueueName, claimed: ClaimedJob): Promise<void> {
  await statements.run(
    `UPDATE job SET state = 'failed', completed_on = clock_timestamp(), deletion_seconds = 0
     WHERE name = $1 AND id = $2 AND retry_count = $3 AND state = 'active'`,
    [queue, claimed.workId, claimed.count],
  )
}

export async function revive(statements: Statements, workIds: readonly string[]): Promise<void> {
  await statements.run(
    `UPDATE job SET state = 'retry', completed_on = NULL, start_after = clock_timestamp(),
       deletion_seconds = (SELECT queue.deletion_seconds FROM queue WHERE queue.name = job.name)
     WHERE name = ANY ($2) AND id = ANY ($1::uuid[]) AND state = 'failed'`,
    [workIds, QUEUES],
  )
}

export async function remove(statements: Statements, workIds: readonly string[]): Promise<void> {
  await statements.run('DELETE FROM job WHERE name = ANY ($2) AND id = ANY ($1::uuid[])', [workIds, QUEUES])
}

/** A clock that was set back leaves jobs that seem to be due in the future. None of ours is sent for later. */
export async function correctDueTimes(
  statements: Statements,
  queue: QueueName,
  maxDelayMs: number,
): Promise<void> {
  await statements.run(
    `UPDATE job SET start_after = clock_timestamp()
     WHERE name = $1 AND state IN ('created', 'retry')
       AND start_after > clock_timestamp() + CASE state WHEN 'retry' THEN $2::float8 ELSE 1000 END * interval '1 ms'`,
    [queue, maxDelayMs],
  )
}
