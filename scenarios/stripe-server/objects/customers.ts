import type { Account } from '../account.ts'
import { holes, type JsonOut, jsonText, template } from '../template.ts'
import { personOf, pick } from './people.ts'

const PLANS = ['"starter"', '"team"', '"business"']

const customerHole = holes([
  'id',
  'address',
  'balance',
  'created',
  'currency',
  'delinquent',
  'description',
  'email',
  'invoicePrefix',
  'crmId',
  'plan',
  'name',
  'phone',
])
const customer = template(customerHole, {
  id: customerHole('id'),
  object: 'customer',
  address: customerHole('address'),
  balance: customerHole('balance'),
  created: customerHole('created'),
  currency: customerHole('currency'),
  customer_account: null,
  default_source: null,
  delinquent: customerHole('delinquent'),
  description: customerHole('description'),
  discount: null,
  email: customerHole('email'),
  invoice_prefix: customerHole('invoicePrefix'),
  invoice_settings: {
    custom_fields: null,
    default_payment_method: null,
    footer: null,
    rendering_options: null,
  },
  livemode: false,
  metadata: { crm_id: customerHole('crmId'), plan: customerHole('plan') },
  name: customerHole('name'),
  next_invoice_sequence: 1,
  phone: customerHole('phone'),
  preferred_locales: [],
  shipping: null,
  tax_exempt: 'none',
  test_clock: null,
})

export function renderCustomer(out: JsonOut, account: Account, index: number): void {
  const person = personOf(account, index)
  const made = account.madeCustomer(index)
  const drawn = account.draw('customers', index, 2)
  customer(out, {
    id: `"${account.idOf('customers', index)}"`,
    address: made === undefined ? person.address : 'null',
    balance: drawn % 20 === 0 ? String(-(drawn % 5000)) : '0',
    created: String(account.timeline('customers').createdSeconds(index)),
    currency: person.currency,
    delinquent: drawn % 31 === 0 ? 'true' : 'false',
    description: made === undefined ? `"Customer ${index} of the price list"` : jsonOrNull(made.description),
    email: made === undefined ? person.email : jsonOrNull(made.email),
    invoicePrefix: `"${drawn.toString(16).toUpperCase().padStart(8, '0')}"`,
    crmId: `"crm-${drawn % 1_000_000}"`,
    plan: pick(PLANS, drawn >>> 8),
    name: made === undefined ? person.name : jsonOrNull(made.name),
    phone: made === undefined ? person.phone : 'null',
  })
}

function jsonOrNull(text: string | null): string {
  return text === null ? 'null' : jsonText(text)
}
