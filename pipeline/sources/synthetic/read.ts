import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { LakeduelError } from '../../../platform/errors.ts'
import { PageFill } from '../page-fill.ts'
import { rowBytes } from '../row-bytes.ts'
import type { JsonValue, Page, ReadRequest, Source, SourceTable } from '../source.ts'
import type { SyntheticConfig, SyntheticTable } from './config.ts'
import { SyntheticFailure, WrongPassword } from './errors.ts'
import { fullOrder, incrementalOrder, type ReadOrder } from './order.ts'
import { SyntheticRows } from './rows.ts'

const FIELD = 'updated_at'

/** The next place in the order, and how many pages were read. */
const cursorSchema = z.strictObject({ at: z.int().nonnegative(), pages: z.int().nonnegative() })

/** How often each failure struck in this process, by what it is configured for: it outlives the source that is opened anew. */
const struck = new Map<string, number>()

export class SyntheticSource implements Source {
  readonly #config: SyntheticConfig

  constructor(config: SyntheticConfig) {
    this.#config = config
  }

  checkCredentials(): Promise<void> {
    if (this.#config.password === 'correct') return Promise.resolve()
    return Promise.reject(new WrongPassword('The password was refused.'))
  }

  discover(): Promise<readonly SourceTable[]> {
    return Promise.resolve(this.#config.tables.map((table) => this.#describe(table)))
  }

  async *read({ table: { name }, incremental, resume, signal, limits }: ReadRequest): AsyncIterable<Page> {
    await this.checkCredentials()
    const table = this.#tableNamed(name)
    const rows = new SyntheticRows(this.#config.seed, table)
    const since = incremental === null ? null : momentOf(incremental.since)
    const order = incremental === null ? fullOrder(table, rows) : incrementalOrder(table, rows, since)
    const fill = new PageFill({ ...limits, pageRows: Math.min(limits.pageRows, table.pageRows) })
    const start = resume === null ? { at: 0, pages: 0 } : cursorSchema.parse(resume)
    let { at, pages } = start
    let mark = since ?? Number.NEGATIVE_INFINITY
    const page = async (): Promise<Page> => {
      pages += 1
      await this.#turnPage(table, pages, signal)
      return {
        ...fill.take(),
        cursor: { at, pages },
        ...(incremental === null || mark === Number.NEGATIVE_INFINITY
          ? {}
          : { mark: new Date(mark).toISOString() }),
      }
    }
    if (table.incremental === 'descending' && incremental !== null) mark = Math.max(mark, newest(order, rows))
    signal.throwIfAborted()
    for (; at < order.length; at += 1) {
      const place = order.at(at)
      if (place === null) continue
      const row = rows.at(place.row, place.revision)
      const bytes = rowBytes(row)
      if (!fill.fits(bytes)) yield await page()
      mark = Math.max(mark, rows.updatedAtMs(place.row, place.revision))
      fill.add(row, bytes)
    }
    if (!fill.isEmpty) yield await page()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  async #turnPage(
    { name, delayMs, failures }: SyntheticTable,
    page: number,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted()
    if (delayMs > 0) await sleep(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    const failure = failures.find((candidate) => candidate.page === page)
    if (failure === undefined) return
    const key = JSON.stringify([this.#config.seed, name, failure])
    const times = struck.get(key) ?? 0
    if (times >= failure.times) return
    struck.set(key, times + 1)
    throw new SyntheticFailure(failure.class, failure.retryAfterMs ?? null)
  }

  #describe(table: SyntheticTable): SourceTable {
    const { name, declared, incremental, duplicates, nullKeys, pagesAreDear, rows } = table
    return {
      name,
      columns: declared ? new SyntheticRows(this.#config.seed, table).columns : null,
      primaryKey: ['id'],
      incremental: incremental === 'none' ? [] : [{ name: FIELD, order: incremental }],
      partition: { mode: 'datetime', columns: ['created_at'] },
      parent: null,
      keysOnce: duplicates === 0 && nullKeys === 0,
      pagesAreDear,
      estimatedRows: rows,
    }
  }

  #tableNamed(name: string): SyntheticTable {
    const table = this.#config.tables.find((candidate) => candidate.name === name)
    if (table !== undefined) return table
    throw new LakeduelError('TABLE_NOT_FOUND', `The synthetic source has no table ${name}.`, {
      facts: { tables: this.#config.tables.map((known) => known.name) },
    })
  }
}

function newest(order: ReadOrder, rows: SyntheticRows): number {
  for (let at = 0; at < order.length; at += 1) {
    const place = order.at(at)
    if (place !== null) return rows.updatedAtMs(place.row, place.revision)
  }
  return Number.NEGATIVE_INFINITY
}

function momentOf(since: JsonValue | null): number | null {
  return since === null ? null : Date.parse(z.iso.datetime().parse(since))
}
