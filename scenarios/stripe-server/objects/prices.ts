import type { Account } from '../account.ts'
import { holes, type JsonOut, template } from '../template.ts'
import { pick } from './people.ts'

const PRODUCT_NAMES = ['Seats', 'Events', 'Storage', 'Support', 'Replay minutes', 'Feature flags']
/** Tenths of a cent, since prices by usage are finer than a cent. */
const UNIT_AMOUNT_TENTHS = [5000, 9000, 12_000, 29_000, 49_000, 99_000, 199_000, 125, 3]

export interface PriceAmount {
  readonly tenths: number
  /** JSON; null where the amount is no whole number of cents. */
  readonly unitAmount: string
  /** JSON text, in cents. */
  readonly unitAmountDecimal: string
}

export function priceAmount(account: Account, priceIndex: number): PriceAmount {
  const tenths = pick(UNIT_AMOUNT_TENTHS, account.draw('prices', priceIndex, 1))
  return {
    tenths,
    unitAmount: tenths % 10 === 0 ? String(tenths / 10) : 'null',
    unitAmountDecimal: `"${tenths / 10}"`,
  }
}

/** JSON of the id of the product that a price is for. */
export function productOfPrice(account: Account, priceIndex: number): string {
  return account.reference('products', priceIndex)
}

const productHole = holes(['id', 'created', 'defaultPrice', 'description', 'name', 'active'])
const product = template(productHole, {
  id: productHole('id'),
  object: 'product',
  active: productHole('active'),
  created: productHole('created'),
  default_price: productHole('defaultPrice'),
  description: productHole('description'),
  images: [],
  livemode: false,
  marketing_features: [{ name: 'Unlimited projects' }, { name: 'Single sign-on' }],
  metadata: {},
  name: productHole('name'),
  package_dimensions: null,
  shippable: null,
  statement_descriptor: null,
  tax_code: 'txcd_10103001',
  tax_details: null,
  type: 'service',
  unit_label: null,
  updated: productHole('created'),
  url: null,
})

export function renderProduct(out: JsonOut, account: Account, index: number): void {
  const drawn = account.draw('products', index, 1)
  const name = `${pick(PRODUCT_NAMES, drawn)} ${index + 1}`
  product(out, {
    id: `"${account.idOf('products', index)}"`,
    active: drawn % 9 === 0 ? 'false' : 'true',
    created: String(account.timeline('products').createdSeconds(index)),
    defaultPrice: account.reference('prices', index),
    description: drawn % 2 === 0 ? 'null' : `"All about ${name.toLowerCase()}"`,
    name: `"${name}"`,
  })
}

const priceHole = holes([
  'id',
  'created',
  'currency',
  'product',
  'unitAmount',
  'unitAmountDecimal',
  'interval',
  'nickname',
])
const price = template(priceHole, {
  id: priceHole('id'),
  object: 'price',
  active: true,
  billing_scheme: 'per_unit',
  created: priceHole('created'),
  currency: priceHole('currency'),
  custom_unit_amount: null,
  livemode: false,
  lookup_key: null,
  metadata: {},
  nickname: priceHole('nickname'),
  product: priceHole('product'),
  recurring: {
    interval: priceHole('interval'),
    interval_count: 1,
    meter: null,
    trial_period_days: null,
    usage_type: 'licensed',
  },
  tax_behavior: 'unspecified',
  tiers_mode: null,
  transform_quantity: null,
  type: 'recurring',
  unit_amount: priceHole('unitAmount'),
  unit_amount_decimal: priceHole('unitAmountDecimal'),
})

export function renderPrice(out: JsonOut, account: Account, index: number): void {
  const { unitAmount, unitAmountDecimal } = priceAmount(account, index)
  price(out, {
    ...priceTerms(account, index),
    id: `"${account.idOf('prices', index)}"`,
    created: String(account.timeline('prices').createdSeconds(index)),
    product: productOfPrice(account, index),
    unitAmount,
    unitAmountDecimal,
    nickname: index % 3 === 0 ? 'null' : `"List price ${index + 1}"`,
  })
}

const planHole = holes(['id', 'amount', 'amountDecimal', 'created', 'currency', 'interval', 'product'])
const plan = template(planHole, {
  id: planHole('id'),
  object: 'plan',
  active: true,
  amount: planHole('amount'),
  amount_decimal: planHole('amountDecimal'),
  billing_scheme: 'per_unit',
  created: planHole('created'),
  currency: planHole('currency'),
  interval: planHole('interval'),
  interval_count: 1,
  livemode: false,
  metadata: {},
  meter: null,
  nickname: null,
  product: planHole('product'),
  tiers_mode: null,
  transform_usage: null,
  trial_period_days: null,
  usage_type: 'licensed',
})

/** What a price was called before there were prices; the items of subscriptions still carry it. */
export function renderPlan(out: JsonOut, account: Account, priceIndex: number): void {
  const { unitAmount, unitAmountDecimal } = priceAmount(account, priceIndex)
  plan(out, {
    ...priceTerms(account, priceIndex),
    id: `"${account.idOf('prices', priceIndex)}"`,
    amount: unitAmount,
    amountDecimal: unitAmountDecimal,
    created: String(account.timeline('prices').createdSeconds(priceIndex)),
    product: productOfPrice(account, priceIndex),
  })
}

function priceTerms(account: Account, priceIndex: number) {
  const drawn = account.draw('prices', priceIndex, 2)
  return {
    currency: drawn % 2 === 0 ? '"eur"' : '"usd"',
    interval: drawn % 5 === 0 ? '"year"' : '"month"',
  }
}
