import type { SourceTable } from '../source.ts'
import type { Query } from './client.ts'

/** A table whose rows are the objects of one list of the API. */
export interface ListedTable {
  readonly name: string
  readonly path: string
  /** What the list needs to be asked so that it leaves nothing out. */
  readonly query: Query
}

/** The lists by the names of their tables. */
export const LISTED_TABLES: readonly ListedTable[] = [
  { name: 'customers', path: '/v1/customers', query: {} },
  { name: 'products', path: '/v1/products', query: {} },
  { name: 'prices', path: '/v1/prices', query: {} },
  // Without a status the list leaves out what was cancelled; and a subscription that is cancelled while it is the cursor
  // makes the next page fail.
  { name: 'subscriptions', path: '/v1/subscriptions', query: { status: 'all' } },
  { name: 'charges', path: '/v1/charges', query: {} },
  { name: 'refunds', path: '/v1/refunds', query: {} },
  { name: 'balance_transactions', path: '/v1/balance_transactions', query: {} },
  { name: 'invoices', path: '/v1/invoices', query: {} },
  { name: 'credit_notes', path: '/v1/credit_notes', query: {} },
]

export const LINE_ITEMS = 'invoice_line_items'
/** Unix seconds, in every object of a list. */
export const CREATED = 'created'
/** The invoice's `created`, which its lines carry here since they have no time of their own. */
export const INVOICE_CREATED = 'invoice_created'

/**
 * Invoices below which listing them from Stripe is cheaper than opening the stored table: opening takes about 3 s against
 * 0.5 s for a page of 100 at Stripe, so they break even at some 600; PostHog's pipeline found 700 in use and set its floor
 * at 1,000.
 */
const MIN_STORED_INVOICES = 1000

/**
 * Rows keep the shape that Stripe gives them, so no columns are declared. Keys come once: lists are read from the newest
 * object to the oldest, so that what is made meanwhile is left to the next read; and where the object at the cursor was
 * deleted, what was read of its second is remembered and left out (see `position.ts`).
 */
export function sourceTables(): readonly SourceTable[] {
  return [...LISTED_TABLES.map(listedTable), lineItemsTable()]
}

function listedTable({ name }: ListedTable): SourceTable {
  return {
    name,
    columns: null,
    primaryKey: ['id'],
    incremental: [{ name: CREATED, order: 'descending' }],
    partition: { mode: 'datetime', columns: [CREATED] },
    parent: null,
    keysOnce: true,
    pagesAreDear: true,
    estimatedRows: null,
  }
}

function lineItemsTable(): SourceTable {
  return {
    name: LINE_ITEMS,
    columns: null,
    primaryKey: ['invoice_id', 'id'],
    incremental: [{ name: INVOICE_CREATED, order: 'descending' }],
    partition: { mode: 'datetime', columns: [INVOICE_CREATED] },
    parent: {
      table: 'invoices',
      columns: ['id', CREATED, 'lines'],
      recencyColumn: CREATED,
      minStoredRows: MIN_STORED_INVOICES,
    },
    keysOnce: true,
    pagesAreDear: true,
    estimatedRows: null,
  }
}
