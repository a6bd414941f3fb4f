import { z } from 'zod'
import { LakeduelError } from '../../platform/errors.ts'
import type { Statements } from '../state/database.ts'
import { failRun } from '../state/extraction.ts'
import type { RunFailure } from '../state/model.ts'
import { ownerSchema, ownerText } from '../state/owner.ts'
import { LOAD_QUEUE, type QueueName } from './boss.ts'
import { bury } from './jobs.ts'

/** The right to do a piece of work. Plain data, so that it can be handed to another module or process. */
export interface Claim {
  readonly workId: string
  readonly runId: string
  /** Which time of being claimed this is; what comes of an earlier one is refused. */
  readonly count: number
  /** How long it holds without a heartbeat. */
  readonly ttlMs: number
}

/**
 * The condition on `work` that a claim, as `$1` and `$2`, holds. Work is held while it has an end; its `claim` stays
 * when it is given back, so that no later one is taken for it.
 */
export const HELD = `work_id = $1 AND claim = $2 AND expires_at IS NOT NULL AND status = 'open'`

/** Locks are taken in one order everywhere: lease, run, work, job. */
export async function lockRun(transaction: Statements, runId: string): Promise<void> {
  await transaction.run('SELECT 1 FROM runs WHERE run_id = $1 FOR NO KEY UPDATE', [runId])
}

/** Gives work up: it stays in its place in the queue, and a batch or finish takes its run with it. */
export async function giveUp(
  transaction: Statements,
  queue: QueueName,
  claim: Pick<Claim, 'workId' | 'runId' | 'count'>,
  failure: RunFailure,
): Promise<void> {
  await bury(transaction, queue, claim)
  if (queue === LOAD_QUEUE) await failRun(transaction, claim.runId, failure)
}

const holderSchema = z.object({
  status: z.string(),
  claim: z.int().nullable(),
  owner: ownerSchema.nullable(),
})

/** Why what a claim's holder wanted to write is refused. */
export async function claimLost(statements: Statements, claim: Claim): Promise<LakeduelError> {
  const { workId, runId, count } = claim
  const [work] = await statements.rows(
    holderSchema,
    'SELECT status, claim, owner FROM work WHERE work_id = $1',
    [workId],
  )
  const facts = { runId, workId, claim: count, status: work?.status, claimedAs: work?.claim }
  if (work?.status === 'cancelled') {
    return new LakeduelError('RUN_NOT_ACTIVE', `Run ${runId} was cancelled.`, { facts })
  }
  const holder = work?.owner ? ownerText(work.owner) : 'nobody'
  return new LakeduelError(
    'LEASE_LOST',
    `Work of run ${runId} was taken over after its lease had ended; ${holder} has it now.`,
    { facts, remedy: 'Drop it: whoever has it applies it, and what is committed already changes nothing.' },
  )
}
