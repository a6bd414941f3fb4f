import type { Arm } from '../../backends/backend.ts'
import { Teardown } from '../../platform/teardown.ts'
import type { Lab } from '../scenario.ts'
import { parameter } from '../scenario.ts'
import { ImportLake } from './import-lake.ts'
import { type PagingStats, StripeProcess } from './stripe-process.ts'
import { RunningSync } from './sync-command.ts'

/**
 * A Stripe-protocol server of invoices, a lake to import them into, and the imports that were started. Disposing of it
 * ends all three, wherever a cell was when it failed, so that no process and no database outlives the cell.
 */
export class InvoiceImport implements AsyncDisposable {
  readonly #lab: Lab
  readonly #arm: Arm
  readonly #server: StripeProcess
  readonly #teardown: Teardown
  #lake: ImportLake

  private constructor(lab: Lab, arm: Arm, server: StripeProcess, lake: ImportLake, teardown: Teardown) {
    this.#lab = lab
    this.#arm = arm
    this.#server = server
    this.#lake = lake
    this.#teardown = teardown
  }

  /** The server answers as late as the parameter `apiLatencyMs` says. */
  static async open(lab: Lab, arm: Arm, invoices: number): Promise<InvoiceImport> {
    const teardown = new Teardown()
    try {
      const server = await StripeProcess.start(lab.surroundings.entries.stripeServer, {
        counts: { invoices },
        faults: { latencyMs: parameter(lab.parameters, 'apiLatencyMs') },
      })
      teardown.defer(async () => server[Symbol.asyncDispose]())
      return new InvoiceImport(lab, arm, server, await openLake(lab, teardown), teardown)
    } catch (error) {
      await teardown[Symbol.asyncDispose]()
      throw error
    }
  }

  get lake(): ImportLake {
    return this.#lake
  }

  /** What was imported so far is left behind: imports that are started from now on find an empty lake. */
  async leaveLake(): Promise<void> {
    this.#lake = await openLake(this.#lab, this.#teardown)
  }

  start(table: string, args: readonly string[]): RunningSync {
    const source = ['--source', 'stripe', '--set', `baseUrl=${this.#server.url}`, '--table', table]
    const sync = new RunningSync(this.#lab, {
      args: [...source, '--partition', 'none', '--to', this.#arm, ...args],
      env: this.#lake.variables,
    })
    this.#teardown.defer(async () => sync.kill())
    return sync
  }

  stats(): Promise<PagingStats> {
    return this.#server.stats()
  }

  /** Pages of invoices that were answered so far. */
  async pages(): Promise<number> {
    return (await this.stats()).pages['invoices'] ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#teardown[Symbol.asyncDispose]()
  }
}

async function openLake(lab: Lab, teardown: Teardown): Promise<ImportLake> {
  const lake = await ImportLake.open(lab)
  teardown.defer(async () => lake[Symbol.asyncDispose]())
  return lake
}
