import type { Account } from '../account.ts'
import { holes, type JsonOut, template } from '../template.ts'
import { personOf } from './people.ts'
import { renderPlan, renderPrice } from './prices.ts'

const DAY_SECONDS = 86_400
/** In hundredths of all subscriptions, one after the other. */
const STATUS_SHARES = [
  { status: 'active', hundredths: 74 },
  { status: 'canceled', hundredths: 14 },
  { status: 'trialing', hundredths: 6 },
  { status: 'past_due', hundredths: 4 },
  { status: 'unpaid', hundredths: 2 },
] as const

export const SUBSCRIPTION_STATUSES: readonly string[] = STATUS_SHARES.map((share) => share.status)

export function subscriptionStatus(account: Account, index: number): string {
  let place = account.draw('subscriptions', index, 1) % 100
  for (const { status, hundredths } of STATUS_SHARES) {
    if (place < hundredths) return status
    place -= hundredths
  }
  return 'active'
}

const subscriptionHole = holes([
  'id',
  'created',
  'canceledAt',
  'cancellationReason',
  'currency',
  'customer',
  'itemId',
  'latestInvoice',
  'periodEnd',
  'plan',
  'price',
  'quantity',
  'status',
  'itemsUrl',
])
const subscription = template(subscriptionHole, {
  id: subscriptionHole('id'),
  object: 'subscription',
  application: null,
  application_fee_percent: null,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null },
  billing_cycle_anchor: subscriptionHole('created'),
  billing_cycle_anchor_config: null,
  billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
  billing_schedules: [],
  billing_thresholds: null,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: subscriptionHole('canceledAt'),
  cancellation_details: {
    comment: null,
    feedback: null,
    feedback_option: null,
    reason: subscriptionHole('cancellationReason'),
  },
  collection_method: 'charge_automatically',
  created: subscriptionHole('created'),
  currency: subscriptionHole('currency'),
  customer: subscriptionHole('customer'),
  customer_account: null,
  days_until_due: null,
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  ended_at: subscriptionHole('canceledAt'),
  invoice_settings: {
    account_tax_ids: null,
    custom_fields: null,
    description: null,
    footer: null,
    issuer: { type: 'self' },
  },
  items: {
    object: 'list',
    data: [
      {
        id: subscriptionHole('itemId'),
        object: 'subscription_item',
        billing_thresholds: null,
        created: subscriptionHole('created'),
        current_period_end: subscriptionHole('periodEnd'),
        current_period_start: subscriptionHole('created'),
        current_trial: null,
        discounts: [],
        metadata: {},
        plan: subscriptionHole('plan'),
        price: subscriptionHole('price'),
        quantity: subscriptionHole('quantity'),
        subscription: subscriptionHole('id'),
        tax_rates: [],
      },
    ],
    has_more: false,
    url: subscriptionHole('itemsUrl'),
  },
  latest_invoice: subscriptionHole('latestInvoice'),
  livemode: false,
  managed_payments: { enabled: false },
  metadata: {},
  next_pending_invoice_item_invoice: null,
  on_behalf_of: null,
  pause_collection: null,
  payment_settings: {
    payment_method_options: null,
    payment_method_types: null,
    save_default_payment_method: 'off',
  },
  pending_invoice_item_interval: null,
  pending_setup_intent: null,
  pending_update: null,
  schedule: null,
  start_date: subscriptionHole('created'),
  status: subscriptionHole('status'),
  test_clock: null,
  transfer_data: null,
  trial_end: null,
  trial_settings: { end_behavior: { missing_payment_method: 'create_invoice' } },
  trial_start: null,
})

export function renderSubscription(out: JsonOut, account: Account, index: number): void {
  const drawn = account.draw('subscriptions', index, 2)
  const created = account.timeline('subscriptions').createdSeconds(index)
  const status = subscriptionStatus(account, index)
  const isCanceled = status === 'canceled'
  const priceIndex = account.referenceIndex('prices', drawn >>> 3)
  const id = account.idOf('subscriptions', index)
  subscription(out, {
    id: `"${id}"`,
    created: String(created),
    canceledAt: isCanceled ? String(created + (drawn % 90) * DAY_SECONDS) : 'null',
    cancellationReason: isCanceled ? '"cancellation_requested"' : 'null',
    currency: personOf(account, account.referenceIndex('customers', drawn) ?? 0).currency,
    customer: account.reference('customers', drawn),
    itemId: `"si_${id.slice('sub_1'.length, 'sub_1'.length + 14)}"`,
    itemsUrl: `"/v1/subscription_items?subscription=${id}"`,
    latestInvoice: account.reference('invoices', drawn >>> 1),
    periodEnd: String(created + 30 * DAY_SECONDS),
    plan: priceIndex === null ? 'null' : (to) => renderPlan(to, account, priceIndex),
    price: priceIndex === null ? 'null' : (to) => renderPrice(to, account, priceIndex),
    quantity: String(1 + (drawn % 12)),
    status: `"${status}"`,
  })
}
