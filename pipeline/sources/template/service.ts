import type { Exchange } from '../kit.ts'

/** An item as the service gives it. */
export interface Item {
  readonly id: string
  readonly name: string
  readonly price: string
  readonly tags: readonly string[]
  /** Seconds since 1970. */
  readonly updatedAt: number
}

export interface Listing {
  readonly order: 'id' | 'updatedAt'
  /** The last item that is known already. */
  readonly after: { readonly id: string; readonly updatedAt: number } | null
  readonly updatedSince: number | null
  readonly limit: number
}

/** What the service answers when it doesn't answer with items. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly status: number
  readonly retryAfterSeconds: number | null
  /** Goes into failure bundles, as shapes. */
  readonly exchange: Exchange

  constructor(status: number, retryAfterSeconds: number | null = null) {
    super(`the service answered with ${status}`)
    this.status = status
    this.retryAfterSeconds = retryAfterSeconds
    this.exchange = { route: 'GET /items', status }
  }
}

/**
 * Stands for the service, so that this source works as it is. In its place, ask the real one:
 *
 *   const response = await fetch(`${url}/items?${query}`, { headers: { authorization: `Bearer ${apiKey}` }, signal })
 *   if (!response.ok) throw new ServiceError(response.status, …)
 *   return itemsSchema.parse(await response.json())
 */
export function listItems(
  apiKey: string,
  { order, after, updatedSince, limit }: Listing,
  signal: AbortSignal,
): Promise<readonly Item[]> {
  signal.throwIfAborted()
  if (apiKey !== 'demo-key') return Promise.reject(new ServiceError(401))
  const items = ITEMS.filter(({ updatedAt }) => updatedSince === null || updatedAt >= updatedSince)
    .toSorted((a, b) => compare(a, b, order))
    .filter((item) => after === null || compare(item, after, order) > 0)
  return Promise.resolve(items.slice(0, limit))
}

type Place = Pick<Item, 'id' | 'updatedAt'>

function compare(a: Place, b: Place, order: Listing['order']): number {
  const byTime = order === 'id' ? 0 : a.updatedAt - b.updatedAt
  if (byTime !== 0) return byTime
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

const ITEMS: readonly Item[] = Array.from({ length: 250 }, (_, index) => ({
  id: `item_${String(index).padStart(4, '0')}`,
  name: `Item ${index}`,
  price: `${index}.50`,
  tags: index % 3 === 0 ? ['new', 'naïve'] : [],
  updatedAt: 1_767_225_600 + ((index * 37) % 250) * 60,
}))
