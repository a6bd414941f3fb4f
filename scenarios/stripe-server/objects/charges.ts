import type { Account } from '../account.ts'
import { holes, type JsonOut, template } from '../template.ts'
import { personOf, pick } from './people.ts'

const BRANDS = ['visa', 'mastercard', 'amex']

export interface ChargeAmount {
  readonly cents: number
  readonly isPaid: boolean
}

export function chargeAmount(account: Account, chargeIndex: number): ChargeAmount {
  const drawn = account.draw('charges', chargeIndex, 1)
  return { cents: 100 + (drawn % 250_000), isPaid: (drawn >>> 20) % 25 !== 0 }
}

const chargeHole = holes([
  'id',
  'amount',
  'paidAmount',
  'balanceTransaction',
  'address',
  'email',
  'name',
  'phone',
  'created',
  'currency',
  'customer',
  'failureCode',
  'failureMessage',
  'networkStatus',
  'outcomeReason',
  'riskScore',
  'sellerMessage',
  'outcomeType',
  'isPaid',
  'paymentIntent',
  'paymentMethod',
  'brand',
  'expYear',
  'last4',
  'receiptUrl',
  'status',
])
const charge = template(chargeHole, {
  id: chargeHole('id'),
  object: 'charge',
  amount: chargeHole('amount'),
  amount_captured: chargeHole('paidAmount'),
  amount_refunded: 0,
  application: null,
  application_fee: null,
  application_fee_amount: null,
  balance_transaction: chargeHole('balanceTransaction'),
  billing_details: {
    address: chargeHole('address'),
    email: chargeHole('email'),
    name: chargeHole('name'),
    phone: chargeHole('phone'),
    tax_id: null,
  },
  calculated_statement_descriptor: 'LAKEDUEL.EXAMPLE',
  captured: chargeHole('isPaid'),
  created: chargeHole('created'),
  currency: chargeHole('currency'),
  customer: chargeHole('customer'),
  description: 'Subscription update',
  disputed: false,
  failure_balance_transaction: null,
  failure_code: chargeHole('failureCode'),
  failure_message: chargeHole('failureMessage'),
  fraud_details: {},
  livemode: false,
  metadata: {},
  on_behalf_of: null,
  outcome: {
    advice_code: null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: chargeHole('networkStatus'),
    reason: chargeHole('outcomeReason'),
    risk_level: 'normal',
    risk_score: chargeHole('riskScore'),
    seller_message: chargeHole('sellerMessage'),
    type: chargeHole('outcomeType'),
  },
  paid: chargeHole('isPaid'),
  payment_intent: chargeHole('paymentIntent'),
  payment_method: chargeHole('paymentMethod'),
  payment_method_details: {
    card: {
      amount_authorized: chargeHole('amount'),
      authorization_code: null,
      brand: chargeHole('brand'),
      checks: { address_line1_check: null, address_postal_code_check: 'pass', cvc_check: 'pass' },
      country: 'US',
      exp_month: 8,
      exp_year: chargeHole('expYear'),
      fingerprint: 'mToisGZ01V71BCos',
      funding: 'credit',
      installments: null,
      last4: chargeHole('last4'),
      mandate: null,
      network: chargeHole('brand'),
      network_transaction_id: null,
      regulated_status: 'unregulated',
      three_d_secure: null,
      wallet: null,
    },
    type: 'card',
  },
  radar_options: {},
  receipt_email: null,
  receipt_number: null,
  receipt_url: chargeHole('receiptUrl'),
  refunded: false,
  review: null,
  shipping: null,
  source: null,
  source_transfer: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  status: chargeHole('status'),
  transfer_data: null,
  transfer_group: null,
})

export function renderCharge(out: JsonOut, account: Account, index: number): void {
  const drawn = account.draw('charges', index, 2)
  const { cents, isPaid } = chargeAmount(account, index)
  const id = account.idOf('charges', index)
  const key = id.slice('ch_3'.length)
  const person = personOf(account, account.referenceIndex('customers', drawn) ?? 0)
  charge(out, {
    ...(isPaid ? PAID : DECLINED),
    id: `"${id}"`,
    amount: String(cents),
    paidAmount: isPaid ? String(cents) : '0',
    balanceTransaction: isPaid ? account.reference('balance_transactions', index) : 'null',
    address: person.address,
    email: person.email,
    name: person.name,
    phone: person.phone,
    created: String(account.timeline('charges').createdSeconds(index)),
    currency: person.currency,
    customer: account.reference('customers', drawn),
    riskScore: String(drawn % 65),
    isPaid: isPaid ? 'true' : 'false',
    paymentIntent: `"pi_3${key}"`,
    paymentMethod: `"pm_1${key}"`,
    brand: `"${pick(BRANDS, drawn >>> 5)}"`,
    expYear: String(2027 + (drawn % 6)),
    last4: `"${String(drawn % 10_000).padStart(4, '0')}"`,
    receiptUrl: `"https://pay.stripe.com/receipts/payment/${key}"`,
  })
}

const PAID = {
  failureCode: 'null',
  failureMessage: 'null',
  networkStatus: '"approved_by_network"',
  outcomeReason: 'null',
  sellerMessage: '"Payment complete."',
  outcomeType: '"authorized"',
  status: '"succeeded"',
}

const DECLINED = {
  failureCode: '"card_declined"',
  failureMessage: '"Your card was declined."',
  networkStatus: '"declined_by_network"',
  outcomeReason: '"generic_decline"',
  sellerMessage: '"The bank did not return any further details with this decline."',
  outcomeType: '"issuer_declined"',
  status: '"failed"',
}
