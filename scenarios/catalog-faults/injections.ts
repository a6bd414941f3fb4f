import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultKind, FaultTarget, Network } from '../../platform/services/network/network.ts'

export interface Fault {
  readonly target: FaultTarget
  readonly kind: FaultKind
}

export interface InjectionPlan {
  readonly fault: Fault
  /** How many are made; the k-th begins after the k-th commit. */
  readonly count: number
  /** How long each lasts. */
  readonly durationMs: number
}

/**
 * Breaks the way to a server again and again, each time somewhat later in a commit: a commit is a row of requests, and each
 * of them may be the one that meets the fault.
 */
export class Injections {
  readonly #network: Network
  readonly #plan: InjectionPlan
  readonly #running: Promise<void>[] = []
  #made = 0
  #active = false
  #lastCommitAt: number | null = null
  #healedAt: number | null = null
  /** From the end of each fault to the next commit. */
  readonly recoveriesMs: number[] = []

  constructor(network: Network, plan: InjectionPlan) {
    this.#network = network
    this.#plan = plan
  }

  get made(): number {
    return this.#made
  }

  /** To be called at each commit. */
  committed(): void {
    const now = performance.now()
    if (this.#healedAt !== null) this.recoveriesMs.push(now - this.#healedAt)
    this.#healedAt = null
    const commitMs = this.#lastCommitAt === null ? 0 : now - this.#lastCommitAt
    this.#lastCommitAt = now
    if (this.#made < this.#plan.count && !this.#active) this.#running.push(this.#inject(commitMs))
  }

  /** Waits until the network is whole again. */
  async healed(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #inject(commitMs: number): Promise<void> {
    const { fault, count, durationMs } = this.#plan
    this.#active = true
    const share = this.#made / count
    this.#made += 1
    // A commit that waited for the last fault is no measure of how long one takes.
    await sleep(share * Math.min(commitMs, durationMs))
    const heal = await this.#network.fault(fault.target, fault.kind)
    await sleep(durationMs)
    await heal()
    this.#healedAt = performance.now()
    this.#active = false
  }
}
