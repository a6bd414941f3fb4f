/** Pages of the account's lists as JSON. A page costs what its own objects cost, wherever in the list it lies. */
import type { Account } from './account.ts'
import { invalidParameter, noSuch } from './errors.ts'
import { renderCharge } from './objects/charges.ts'
import { creditNoteLines, renderCreditNote } from './objects/credit-notes.ts'
import { renderCustomer } from './objects/customers.ts'
import { invoiceLines, renderInvoice } from './objects/invoices.ts'
import { renderBalanceTransaction, renderRefund } from './objects/payments.ts'
import { renderPrice, renderProduct } from './objects/prices.ts'
import { renderSubscription, SUBSCRIPTION_STATUSES, subscriptionStatus } from './objects/subscriptions.ts'
import {
  createdRangeOf,
  LINES_PARAMETERS,
  LIST_PARAMETERS,
  optionalText,
  type Paging,
  pagingOf,
  type Query,
  refuseUnknown,
} from './parameters.ts'
import type { Nested, Resource } from './resources.ts'
import type { Filling, JsonOut } from './template.ts'

/** Lines that an object carries itself; the others have to be listed. */
const INLINED_LINES: Paging = { limit: 10, startingAfter: null, endingBefore: null }
const FILTERS: Readonly<Partial<Record<Resource, readonly string[]>>> = { subscriptions: ['status'] }

/** The nested lists by the resource that they lie below. */
const NESTED_BELOW = {
  invoices: { kind: 'invoice_line_items', linesOf: invoiceLines },
  credit_notes: { kind: 'credit_note_line_items', linesOf: creditNoteLines },
} as const
type Parent = keyof typeof NESTED_BELOW

export function hasLines(resource: Resource): resource is Parent {
  return resource in NESTED_BELOW
}

/** The nested kind below a parent. */
export function nestedBelow(parent: Parent): Nested {
  return NESTED_BELOW[parent].kind
}

/** The resource whose permission a list needs. */
export function parentOf(kind: Resource | Nested): Resource {
  if (kind === 'invoice_line_items') return 'invoices'
  return kind === 'credit_note_line_items' ? 'credit_notes' : kind
}

/** @throws StripeApiError */
export function renderList(out: JsonOut, account: Account, resource: Resource, query: Query): void {
  refuseUnknown(query, [...LIST_PARAMETERS, ...(FILTERS[resource] ?? [])])
  const paging = pagingOf(query)
  const { from, to } = createdRangeOf(query)
  const timeline = account.timeline(resource)
  const isListed = listedBy(account, resource, optionalText(query, 'status'))
  const page = pageOf(paging, {
    first: timeline.firstAtOrAfter(from),
    last: timeline.firstAtOrAfter(to + 1) - 1,
    newestFirst: true,
    isListed: (index) => !account.isRemoved(resource, index) && isListed(index),
    find: (id, param) => {
      const index = account.find(resource, id)
      if (index === null || !isListed(index)) throw noSuch(resource, id, param)
      return index
    },
  })
  writeList(out, page, `/v1/${resource}`, (index) => renderObject(out, account, resource, index))
}

/**
 * A list of subscriptions leaves out the cancelled ones unless it is asked for `all` or for them; and an object that the
 * list leaves out is unknown to it as a cursor, too.
 */
function listedBy(account: Account, resource: Resource, status: string | null): (index: number) => boolean {
  if (resource !== 'subscriptions' || status === 'all') return () => true
  if (status !== null && !SUBSCRIPTION_STATUSES.includes(status))
    throw invalidParameter(
      'status',
      `Invalid status: must be one of ${SUBSCRIPTION_STATUSES.join(', ')}, or all`,
    )
  return (index) => {
    const own = subscriptionStatus(account, index)
    return status === null ? own !== 'canceled' : own === status
  }
}

/** @throws StripeApiError */
export function renderLines(
  out: JsonOut,
  account: Account,
  parent: Parent,
  parentIndex: number,
  query: Query,
): void {
  refuseUnknown(query, LINES_PARAMETERS)
  writeLines(out, account, { parent, parentIndex }, pagingOf(query))
}

export function renderObject(out: JsonOut, account: Account, resource: Resource, index: number): void {
  switch (resource) {
    case 'customers':
      return renderCustomer(out, account, index)
    case 'products':
      return renderProduct(out, account, index)
    case 'prices':
      return renderPrice(out, account, index)
    case 'subscriptions':
      return renderSubscription(out, account, index)
    case 'charges':
      return renderCharge(out, account, index)
    case 'refunds':
      return renderRefund(out, account, index)
    case 'balance_transactions':
      return renderBalanceTransaction(out, account, index)
    case 'invoices':
      return renderInvoice(out, account, index, inlined(account, resource, index))
    case 'credit_notes':
      return renderCreditNote(out, account, index, inlined(account, resource, index))
  }
}

function inlined(account: Account, parent: Parent, parentIndex: number): Filling {
  return (out) => writeLines(out, account, { parent, parentIndex }, INLINED_LINES)
}

function writeLines(
  out: JsonOut,
  account: Account,
  { parent, parentIndex }: { readonly parent: Parent; readonly parentIndex: number },
  paging: Paging,
): void {
  const { kind, linesOf } = NESTED_BELOW[parent]
  const lines = linesOf(account, parentIndex)
  const page = pageOf(paging, {
    first: 0,
    last: lines.count - 1,
    newestFirst: false,
    isListed: (place) => !account.isLineRemoved(kind, parentIndex, place),
    find: (id, param) => {
      const place = account.findLine(kind, parentIndex, id)
      if (place === null || place >= lines.count) throw noSuch(kind, id, param)
      return place
    },
  })
  const url = `/v1/${parent}/${account.idOf(parent, parentIndex)}/lines`
  writeList(out, page, url, (place) => lines.render(out, place))
}

interface Listing {
  /** The lowest and the highest index; there are none when `last` is below `first`. */
  readonly first: number
  readonly last: number
  readonly newestFirst: boolean
  readonly isListed: (index: number) => boolean
  /** @throws StripeApiError for an unknown id */
  readonly find: (id: string, param: string) => number
}

interface ListPage {
  readonly indexes: readonly number[]
  readonly hasMore: boolean
}

function pageOf(paging: Paging, listing: Listing): ListPage {
  const step: 1 | -1 = listing.newestFirst ? -1 : 1
  const [top, bottom] = listing.newestFirst ? [listing.last, listing.first] : [listing.first, listing.last]
  if (paging.endingBefore !== null) {
    const before = listing.find(paging.endingBefore, 'ending_before')
    const page = walk(before - step, top, step === 1 ? -1 : 1, paging.limit, listing)
    return { ...page, indexes: page.indexes.toReversed() }
  }
  const after = paging.startingAfter
  const start = after === null ? top : listing.find(after, 'starting_after') + step
  return walk(start, bottom, step, paging.limit, listing)
}

/** The listed indexes from `start` towards `end`, and whether there is one after them. */
function walk(start: number, end: number, step: 1 | -1, limit: number, listing: Listing): ListPage {
  const indexes: number[] = []
  // A cursor may lie outside of the range that `created` leaves; the page then begins at the range's edge.
  const begin = step > 0 ? Math.max(start, listing.first) : Math.min(start, listing.last)
  for (let index = begin; step > 0 ? index <= end : index >= end; index += step) {
    if (!listing.isListed(index)) continue
    if (indexes.length === limit) return { indexes, hasMore: true }
    indexes.push(index)
  }
  return { indexes, hasMore: false }
}

function writeList(out: JsonOut, page: ListPage, url: string, write: (index: number) => void): void {
  out.text('{"object":"list","data":[')
  for (const [place, index] of page.indexes.entries()) {
    if (place > 0) out.text(',')
    write(index)
  }
  out.text(`],"has_more":${page.hasMore},"url":"${url}"}`)
}
