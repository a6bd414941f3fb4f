import { z } from 'zod'
import { type Run, triggerSchema } from '../state/model.ts'
import { notify } from '../state/notifications.ts'
import { getRun } from '../state/run-row.ts'
import { AFTER_QUEUE } from './boss.ts'
import type { Claim } from './claim.ts'
import type { AfterWork } from './enqueue.ts'
import { type Claimed, claimedRow, type QueueContext, WorkQueue } from './work-queue.ts'

export interface AfterClaim {
  readonly claim: Claim
  readonly work: AfterWork
  readonly run: Run
  readonly attempts: number
}

const afterRowSchema = z.discriminatedUnion('kind', [
  z.object({ ...claimedRow, kind: z.literal('compaction') }),
  z.object({ ...claimedRow, kind: z.literal('trigger'), trigger: triggerSchema }),
  z.object({ ...claimedRow, kind: z.literal('clean-up') }),
])
type AfterRow = z.output<typeof afterRowSchema>

/**
 * What follows runs that are done or cancelled, in no order and each tried again apart from the data: what is given up
 * here leaves its run as it is, until `Runs.retry`.
 */
export class AfterQueue extends WorkQueue<AfterRow, AfterClaim> {
  constructor(context: QueueContext) {
    super(context, AFTER_QUEUE, afterRowSchema)
  }

  async complete(claim: Claim): Promise<void> {
    const { database } = this.context
    await database.transaction(async (transaction) => {
      await this.settle(transaction, claim)
      await notify(transaction, database.schema, 'runs')
    })
  }

  protected override async workOf({ claim, row }: Claimed<AfterRow>): Promise<AfterClaim> {
    const run = await getRun(this.context.database, claim.runId)
    const work: AfterWork =
      row.kind === 'trigger' ? { kind: 'trigger', trigger: row.trigger } : { kind: row.kind }
    return { claim, work, run, attempts: row.attempts }
  }
}
