import type { Account } from '../account.ts'
import { holes, type JsonOut, template } from '../template.ts'
import { chargeAmount } from './charges.ts'
import { personOf } from './people.ts'

const DAY_SECONDS = 86_400

const refundHole = holes([
  'id',
  'amount',
  'balanceTransaction',
  'charge',
  'created',
  'currency',
  'customer',
  'reason',
])
const refund = template(refundHole, {
  id: refundHole('id'),
  object: 'refund',
  amount: refundHole('amount'),
  balance_transaction: refundHole('balanceTransaction'),
  charge: refundHole('charge'),
  created: refundHole('created'),
  currency: refundHole('currency'),
  customer: refundHole('customer'),
  customer_account: null,
  destination_details: {
    card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' },
    type: 'card',
  },
  metadata: {},
  payment_intent: null,
  payment_method: null,
  reason: refundHole('reason'),
  receipt_number: null,
  source_transfer_reversal: null,
  status: 'succeeded',
  transfer_reversal: null,
})

export function renderRefund(out: JsonOut, account: Account, index: number): void {
  const drawn = account.draw('refunds', index, 1)
  const chargeIndex = account.referenceIndex('charges', drawn) ?? 0
  refund(out, {
    id: `"${account.idOf('refunds', index)}"`,
    amount: String(1 + (drawn % chargeAmount(account, chargeIndex).cents)),
    balanceTransaction: account.reference('balance_transactions', drawn >>> 1),
    charge: account.reference('charges', drawn),
    created: String(account.timeline('refunds').createdSeconds(index)),
    currency: personOf(account, drawn % 97).currency,
    customer: account.reference('customers', drawn),
    reason: drawn % 3 === 0 ? '"requested_by_customer"' : 'null',
  })
}

const balanceTransactionHole = holes([
  'id',
  'amount',
  'availableOn',
  'created',
  'currency',
  'description',
  'exchangeRate',
  'fee',
  'net',
  'category',
  'source',
])
const balanceTransaction = template(balanceTransactionHole, {
  id: balanceTransactionHole('id'),
  object: 'balance_transaction',
  amount: balanceTransactionHole('amount'),
  available_on: balanceTransactionHole('availableOn'),
  balance_type: 'payments',
  created: balanceTransactionHole('created'),
  currency: balanceTransactionHole('currency'),
  description: balanceTransactionHole('description'),
  exchange_rate: balanceTransactionHole('exchangeRate'),
  fee: balanceTransactionHole('fee'),
  fee_details: [
    {
      amount: balanceTransactionHole('fee'),
      application: null,
      currency: balanceTransactionHole('currency'),
      description: 'Stripe processing fees',
      type: 'stripe_fee',
    },
  ],
  net: balanceTransactionHole('net'),
  reporting_category: balanceTransactionHole('category'),
  source: balanceTransactionHole('source'),
  status: 'available',
  type: balanceTransactionHole('category'),
})

export function renderBalanceTransaction(out: JsonOut, account: Account, index: number): void {
  const drawn = account.draw('balance_transactions', index, 1)
  const created = account.timeline('balance_transactions').createdSeconds(index)
  const isRefund = drawn % 10 === 0
  const cents = 100 + (drawn % 250_000)
  const amount = isRefund ? -cents : cents
  const fee = isRefund ? 0 : 30 + Math.round(cents * 0.029)
  balanceTransaction(out, {
    id: `"${account.idOf('balance_transactions', index)}"`,
    amount: String(amount),
    availableOn: String(created + 2 * DAY_SECONDS),
    created: String(created),
    currency: drawn % 4 === 0 ? '"usd"' : '"eur"',
    description: isRefund ? '"REFUND FOR CHARGE"' : '"Subscription update"',
    exchangeRate: drawn % 4 === 0 ? String(0.9 + (drawn % 1000) / 10_000) : 'null',
    fee: String(fee),
    net: String(amount - fee),
    category: isRefund ? '"refund"' : '"charge"',
    source: account.reference(isRefund ? 'refunds' : 'charges', drawn >>> 1),
  })
}
