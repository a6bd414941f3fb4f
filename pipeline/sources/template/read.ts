import {
  type Cursor,
  DecimalText,
  type JsonValue,
  type Page,
  PageFill,
  type ReadRequest,
  type Row,
  rowBytes,
  type Source,
  type SourceTable,
  z,
} from '../kit.ts'
import type { Config } from './config.ts'
import { type Item, type Listing, listItems } from './service.ts'

const ITEMS: SourceTable = {
  name: 'items',
  // Declared types are kept; null leaves a column's type to its values.
  columns: [
    { name: 'id', type: { kind: 'string' }, nullable: false },
    { name: 'name', type: { kind: 'string' }, nullable: true },
    { name: 'price', type: { kind: 'decimal', precision: 18, scale: 2 }, nullable: true },
    { name: 'tags', type: null, nullable: true },
    { name: 'updated_at', type: { kind: 'int64' }, nullable: false },
  ],
  primaryKey: ['id'],
  incremental: [{ name: 'updated_at', order: 'ascending' }],
  partition: { mode: 'md5', columns: ['id'] },
  parent: null,
  // By id, every item comes once, also when others are added or changed meanwhile.
  keysOnce: true,
  pagesAreDear: true,
  estimatedRows: null,
}

/** The last item that was read. */
const cursorSchema = z.strictObject({ id: z.string(), updatedAt: z.int() })

export class MySource implements Source {
  readonly #config: Config

  constructor(config: Config) {
    this.#config = config
  }

  async checkCredentials(): Promise<void> {
    await this.#list({ order: 'id', after: null, updatedSince: null, limit: 1 }, new AbortController().signal)
  }

  discover(): Promise<readonly SourceTable[]> {
    return Promise.resolve([ITEMS])
  }

  async *read({ incremental, resume, signal, limits }: ReadRequest): AsyncIterable<Page> {
    const updatedSince = incremental?.since == null ? null : z.int().parse(incremental.since)
    const limit = Math.min(this.#config.pageSize, limits.pageRows)
    const order = incremental === null ? 'id' : 'updatedAt'
    const fill = new PageFill(limits)
    let after = resume === null ? null : cursorSchema.parse(resume)
    for (;;) {
      signal.throwIfAborted()
      const items = await this.#list({ order, after, updatedSince, limit }, signal)
      if (items.length === 0) return
      for (const { row, bytes, place } of items.map(rowOf)) {
        if (after !== null && !fill.fits(bytes)) yield pageOf(fill, after, incremental !== null)
        fill.add(row, bytes)
        after = place
      }
      // What the service gives at once is a page, so that no more than that is ever read twice.
      if (after !== null) yield pageOf(fill, after, incremental !== null)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  #list(listing: Listing, signal: AbortSignal): Promise<readonly Item[]> {
    return listItems(this.#config.apiKey, listing, signal)
  }
}

type Place = z.infer<typeof cursorSchema>

function rowOf({ id, name, price, tags, updatedAt }: Item): {
  readonly row: Row
  readonly bytes: number
  readonly place: Place
} {
  const row = { id, name, price: new DecimalText(price), tags, updated_at: updatedAt }
  return { row, bytes: rowBytes(row), place: { id, updatedAt } }
}

function pageOf(fill: PageFill, place: Place, isIncremental: boolean): Page {
  const cursor: Cursor = { ...place }
  const mark: JsonValue = place.updatedAt
  return { ...fill.take(), cursor, ...(isIncremental ? { mark } : {}) }
}
