import type { IdStyle } from './ids.ts'

/** The lists of the API that this server has, by their path below `/v1/`. */
export const RESOURCES = [
  'customers',
  'products',
  'prices',
  'subscriptions',
  'charges',
  'refunds',
  'balance_transactions',
  'invoices',
  'credit_notes',
] as const
export type Resource = (typeof RESOURCES)[number]

/** Lists below one object: `/v1/invoices/:id/lines`. */
export const NESTED = ['invoice_line_items', 'credit_note_line_items'] as const
export type Nested = (typeof NESTED)[number]

interface ResourceFacts {
  /** What error messages call one of them. */
  readonly noun: string
  readonly prefix: string
  /** Whether ids end with the digits of the account, as those of newer kinds do. */
  readonly long: boolean
  /** The permission that a restricted key needs. */
  readonly permission: string
}

export const RESOURCE_FACTS = {
  customers: { noun: 'customer', prefix: 'cus_', long: false, permission: 'rak_customer_read' },
  products: { noun: 'product', prefix: 'prod_', long: false, permission: 'rak_product_read' },
  prices: { noun: 'price', prefix: 'price_1', long: true, permission: 'rak_plan_read' },
  subscriptions: { noun: 'subscription', prefix: 'sub_1', long: true, permission: 'rak_subscription_read' },
  charges: { noun: 'charge', prefix: 'ch_3', long: true, permission: 'rak_charge_read' },
  refunds: { noun: 'refund', prefix: 're_3', long: true, permission: 'rak_charge_read' },
  balance_transactions: {
    noun: 'balance transaction',
    prefix: 'txn_3',
    long: true,
    permission: 'rak_balance_transaction_source_read',
  },
  invoices: { noun: 'invoice', prefix: 'in_1', long: true, permission: 'rak_invoice_read' },
  credit_notes: { noun: 'credit note', prefix: 'cn_1', long: true, permission: 'rak_credit_note_read' },
  invoice_line_items: {
    noun: 'invoice line item',
    prefix: 'il_1',
    long: true,
    permission: 'rak_invoice_read',
  },
  credit_note_line_items: {
    noun: 'credit note line item',
    prefix: 'cnli_1',
    long: true,
    permission: 'rak_credit_note_read',
  },
} as const satisfies Record<Resource | Nested, ResourceFacts>

export function idStyle(kind: Resource | Nested, accountDigits: string): IdStyle {
  const facts = RESOURCE_FACTS[kind]
  return { prefix: facts.prefix, accountDigits: facts.long ? accountDigits : '' }
}

export function isResource(text: string): text is Resource {
  return RESOURCES.some((resource) => resource === text)
}
