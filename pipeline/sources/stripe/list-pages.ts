import { Stripe } from 'stripe'
import { z } from 'zod'
import type { Answer as PageAnswer } from '../source.ts'
import type { Answer, Query, StripeApi } from './client.ts'
import { advance, type Position, type StripeObject } from './position.ts'

/** The most that Stripe gives at once. */
export const MOST_PER_PAGE = 100

export interface ListPage {
  readonly rows: readonly StripeObject[]
  /** Of the answer. */
  readonly bytes: number
  /** The position before these rows; `advance` makes the one after any of them. */
  readonly before: Position | null
  /** Null where it holds other rows, too. */
  readonly answer: PageAnswer | null
}

const listSchema = z.object({
  // Checked without being copied: a page is a hundred objects of some ninety fields.
  data: z.array(z.custom<StripeObject>(isStripeObject)),
  has_more: z.boolean(),
})

/**
 * The pages of a list after a position, to its end; the next one is asked for when the caller asks for it.
 * @throws what Stripe answers, and the signal's reason
 */
export async function* listPages(
  api: StripeApi,
  path: string,
  query: Query,
  start: Position | null,
): AsyncGenerator<ListPage> {
  let position = start
  for (let hasMore = true; hasMore; ) {
    const { body, json } = await answerAfter(api, path, query, position)
    const { data, has_more } = listSchema.parse(body)
    const seen = new Set(position?.seen)
    const rows = data.filter((row) => !seen.has(row.id))
    const answer = rows.length === data.length ? { json, rowsAt: 'data' } : null
    if (rows.length > 0) yield { rows, bytes: json.length, before: position, answer }
    const last = data.at(-1)
    hasMore = has_more && last !== undefined
    position = advance(position, rows)
    // What was read before may end a page; the list goes on after it all the same.
    if (position !== null && last !== undefined) position = { ...position, after: last.id }
  }
}

async function answerAfter(
  api: StripeApi,
  path: string,
  query: Query,
  position: Position | null,
): Promise<Answer> {
  if (position === null) return api.get(path, query)
  try {
    return await api.get(path, { ...query, starting_after: position.after })
  } catch (error) {
    if (!isLostCursor(error)) throw error
    const from = position.created === null ? {} : { 'created[lte]': position.created }
    return api.get(path, { ...query, ...from })
  }
}

function isLostCursor(error: unknown): boolean {
  return isMissing(error) && error.param === 'starting_after'
}

/** Whether Stripe does not know an object, in the path or in a parameter. */
export function isMissing(error: unknown): error is Stripe.errors.StripeInvalidRequestError {
  return error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing'
}

function isStripeObject(value: unknown): value is StripeObject {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
}
