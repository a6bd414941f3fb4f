import { z } from 'zod'
import type { KeptAlive } from '../state/keep-alive.ts'
import { type Run, type RunFailure, triggerSchema } from '../state/model.ts'
import { notify } from '../state/notifications.ts'
import { getRun } from '../state/run-row.ts'
import { AFTER_QUEUE } from './boss.ts'
import type { Claim } from './claim.ts'
import { Claims, claimedRow, type FailureOutcome, type QueueContext } from './claims.ts'
import type { AfterWork } from './enqueue.ts'

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
 * here leaves its run as it is, until `Runs.retry`. Refusals are those of `LoadQueue`.
 */
export class AfterQueue {
  readonly #context: QueueContext
  readonly #claims: Claims<AfterRow>

  constructor(context: QueueContext) {
    this.#context = context
    this.#claims = new Claims(context, AFTER_QUEUE, afterRowSchema)
  }

  /** Null when there is nothing to do now. */
  async claim(): Promise<AfterClaim | null> {
    const claimed = await this.#claims.take()
    return claimed && this.#afterClaim(claimed)
  }

  /** Waits until there is something to do. Throws the signal's reason. */
  async next(signal: AbortSignal): Promise<AfterClaim> {
    return this.#afterClaim(await this.#claims.next(signal))
  }

  keepAlive(claim: Claim): KeptAlive {
    return this.#claims.keepAlive(claim)
  }

  async handBack(claim: Claim): Promise<void> {
    await this.#claims.handBack(claim)
  }

  async fail(
    claim: Claim,
    failure: RunFailure,
    { retryable }: { readonly retryable: boolean },
  ): Promise<FailureOutcome> {
    return this.#claims.fail(claim, failure, retryable)
  }

  async complete(claim: Claim): Promise<void> {
    const { database } = this.#context
    await database.transaction(async (transaction) => {
      await this.#claims.settle(transaction, claim)
      await notify(transaction, database.schema, 'runs')
    })
  }

  async #afterClaim({ claim, row }: { readonly claim: Claim; readonly row: AfterRow }): Promise<AfterClaim> {
    const run = await getRun(this.#context.database, claim.runId)
    const work: AfterWork =
      row.kind === 'trigger' ? { kind: 'trigger', trigger: row.trigger } : { kind: row.kind }
    return { claim, work, run, attempts: row.attempts }
  }
}
