import { LakeduelError } from '../../../platform/errors.ts'
import type { Page, ReadRequest, Source, SourceTable } from '../source.ts'
import { StripeApi } from './client.ts'
import type { StripeConfig } from './config.ts'
import { isForbidden } from './errors.ts'
import { readLines } from './read-lines.ts'
import { readList } from './read-list.ts'
import { LINE_ITEMS, LISTED_TABLES, sourceTables } from './tables.ts'

/** Each read has a connection of its own, which ends with it; so there is none to be closed here. */
export class StripeSource implements Source {
  readonly #config: StripeConfig

  constructor(config: StripeConfig) {
    this.#config = config
  }

  /**
   * Asks for the account. No restricted key may see that; being told so, it is known to be a key all the same, and which
   * tables it may read shows when they are read.
   */
  async checkCredentials(): Promise<void> {
    using api = new StripeApi(this.#config, new AbortController().signal)
    try {
      await api.get('/v1/account')
    } catch (error) {
      if (!isForbidden(error)) throw error
    }
  }

  discover(): Promise<readonly SourceTable[]> {
    return Promise.resolve(sourceTables())
  }

  async *read(request: ReadRequest): AsyncGenerator<Page> {
    using api = new StripeApi(this.#config, request.signal)
    const { lookbackSeconds } = this.#config
    const { name } = request.table
    if (name === LINE_ITEMS) return yield* readLines(api, request, lookbackSeconds)
    const table = LISTED_TABLES.find((listed) => listed.name === name)
    if (table === undefined) throw unknownTable(name)
    yield* readList(api, table, request, lookbackSeconds)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

function unknownTable(name: string): LakeduelError {
  const tables = sourceTables().map((table) => table.name)
  return new LakeduelError('TABLE_NOT_FOUND', `Stripe has no table "${name}".`, {
    facts: { table: name, tables },
    remedy: `Choose one of ${tables.join(', ')}.`,
  })
}
