import type { Account } from '../account.ts'
import { type Filling, holes, type JsonOut, template } from '../template.ts'
import { type LineContext, lineCount, linesTotal, renderLine } from './line-items.ts'
import { personOf } from './people.ts'

const HOUR_SECONDS = 3600
const MONTH_SECONDS = 30 * 86_400

const invoiceHole = holes([
  'id',
  'total',
  'amountPaid',
  'amountRemaining',
  'attemptCount',
  'isAttempted',
  'billingReason',
  'created',
  'currency',
  'customer',
  'address',
  'email',
  'name',
  'phone',
  'effectiveAt',
  'endingBalance',
  'hostedUrl',
  'pdf',
  'lines',
  'region',
  'number',
  'subscription',
  'periodStart',
  'status',
  'finalizedAt',
  'paidAt',
  'deliveredAt',
])
const invoice = template(invoiceHole, {
  id: invoiceHole('id'),
  object: 'invoice',
  account_country: 'US',
  account_name: 'Lakeduel Example Inc.',
  account_tax_ids: null,
  amount_due: invoiceHole('total'),
  amount_overpaid: 0,
  amount_paid: invoiceHole('amountPaid'),
  amount_remaining: invoiceHole('amountRemaining'),
  amount_shipping: 0,
  application: null,
  attempt_count: invoiceHole('attemptCount'),
  attempted: invoiceHole('isAttempted'),
  auto_advance: false,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
  automatically_finalizes_at: null,
  billing_reason: invoiceHole('billingReason'),
  collection_method: 'charge_automatically',
  created: invoiceHole('created'),
  currency: invoiceHole('currency'),
  custom_fields: null,
  customer: invoiceHole('customer'),
  customer_account: null,
  customer_address: invoiceHole('address'),
  customer_email: invoiceHole('email'),
  customer_name: invoiceHole('name'),
  customer_phone: invoiceHole('phone'),
  customer_shipping: null,
  customer_tax_exempt: 'none',
  customer_tax_ids: [],
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  due_date: null,
  effective_at: invoiceHole('effectiveAt'),
  ending_balance: invoiceHole('endingBalance'),
  footer: null,
  from_invoice: null,
  hosted_invoice_url: invoiceHole('hostedUrl'),
  invoice_pdf: invoiceHole('pdf'),
  issuer: { type: 'self' },
  last_finalization_error: null,
  latest_revision: null,
  lines: invoiceHole('lines'),
  livemode: false,
  metadata: { region: invoiceHole('region') },
  next_payment_attempt: null,
  number: invoiceHole('number'),
  on_behalf_of: null,
  parent: {
    quote_details: null,
    subscription_details: { metadata: {}, subscription: invoiceHole('subscription') },
    type: 'subscription_details',
  },
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  period_end: invoiceHole('created'),
  period_start: invoiceHole('periodStart'),
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  starting_balance: 0,
  statement_descriptor: null,
  status: invoiceHole('status'),
  status_transitions: {
    finalized_at: invoiceHole('finalizedAt'),
    marked_uncollectible_at: null,
    paid_at: invoiceHole('paidAt'),
    voided_at: null,
  },
  subtotal: invoiceHole('total'),
  subtotal_excluding_tax: invoiceHole('total'),
  test_clock: null,
  total: invoiceHole('total'),
  total_discount_amounts: [],
  total_excluding_tax: invoiceHole('total'),
  total_pretax_credit_amounts: [],
  total_taxes: [],
  webhooks_delivered_at: invoiceHole('deliveredAt'),
})

/** @param lines the inlined list of lines */
export function renderInvoice(out: JsonOut, account: Account, index: number, lines: Filling): void {
  const drawn = account.draw('invoices', index, 2)
  const created = account.timeline('invoices').createdSeconds(index)
  const person = personOf(account, account.referenceIndex('customers', drawn) ?? 0)
  const id = account.idOf('invoices', index)
  const hostedUrl = `https://invoice.stripe.com/i/${account.id}/test_${id.slice('in_1'.length)}`
  invoice(out, {
    ...progress(drawn, linesTotal(account, index), created),
    id: `"${id}"`,
    billingReason: drawn % 12 === 0 ? '"subscription_create"' : '"subscription_cycle"',
    created: String(created),
    currency: person.currency,
    customer: account.reference('customers', drawn),
    address: person.address,
    email: person.email,
    name: person.name,
    phone: person.phone,
    hostedUrl: `"${hostedUrl}?s=ap"`,
    pdf: `"${hostedUrl}/pdf?s=ap"`,
    lines,
    region: drawn % 2 === 0 ? '"eu"' : '"us"',
    number: `"${drawn.toString(16).toUpperCase().padStart(8, '0')}-${String(index % 10_000).padStart(4, '0')}"`,
    subscription: account.reference('subscriptions', drawn >>> 2),
    periodStart: String(created - MONTH_SECONDS),
  })
}

/** How far an invoice has come: nine of ten are paid, the others open or drafts. */
function progress(drawn: number, total: number, createdSeconds: number) {
  const later = String(createdSeconds + HOUR_SECONDS)
  const isDraft = drawn % 40 === 1
  const isPaid = !isDraft && drawn % 10 !== 3
  return {
    total: String(total),
    amountPaid: isPaid ? String(total) : '0',
    amountRemaining: isPaid ? '0' : String(total),
    attemptCount: isDraft ? '0' : '1',
    isAttempted: isDraft ? 'false' : 'true',
    effectiveAt: isDraft ? 'null' : later,
    endingBalance: isDraft ? 'null' : '0',
    status: isPaid ? '"paid"' : isDraft ? '"draft"' : '"open"',
    finalizedAt: isDraft ? 'null' : later,
    paidAt: isPaid ? later : 'null',
    deliveredAt: isDraft ? 'null' : String(createdSeconds),
  }
}

export function invoiceLines(account: Account, index: number) {
  const drawn = account.draw('invoices', index, 2)
  const context: LineContext = {
    invoice: `"${account.idOf('invoices', index)}"`,
    subscription: account.reference('subscriptions', drawn >>> 2),
    currency: personOf(account, account.referenceIndex('customers', drawn) ?? 0).currency,
    createdSeconds: account.timeline('invoices').createdSeconds(index),
  }
  return {
    count: lineCount(account, index),
    render: (out: JsonOut, place: number) => renderLine(out, account, index, place, context),
  }
}
