import type { Account } from '../account.ts'
import { holes, type JsonOut, template } from '../template.ts'
import { priceAmount, productOfPrice } from './prices.ts'

const MONTH_SECONDS = 30 * 86_400
const MOST_LINES = 250
const INLINED_LINES = 10

const lineHole = holes([
  'id',
  'amount',
  'currency',
  'description',
  'invoice',
  'invoiceItem',
  'isProration',
  'subscription',
  'subscriptionItem',
  'start',
  'end',
  'price',
  'product',
  'unitAmountDecimal',
  'quantity',
  'quantityDecimal',
])
const line = template(lineHole, {
  id: lineHole('id'),
  object: 'line_item',
  amount: lineHole('amount'),
  currency: lineHole('currency'),
  description: lineHole('description'),
  discount_amounts: [],
  discountable: true,
  discounts: [],
  invoice: lineHole('invoice'),
  livemode: false,
  metadata: {},
  parent: {
    invoice_item_details: null,
    subscription_item_details: {
      invoice_item: lineHole('invoiceItem'),
      proration: lineHole('isProration'),
      proration_details: { credited_items: null },
      subscription: lineHole('subscription'),
      subscription_item: lineHole('subscriptionItem'),
    },
    type: 'subscription_item_details',
  },
  period: { end: lineHole('end'), start: lineHole('start') },
  pretax_credit_amounts: [],
  pricing: {
    price_details: { price: lineHole('price'), product: lineHole('product') },
    type: 'price_details',
    unit_amount_decimal: lineHole('unitAmountDecimal'),
  },
  quantity: lineHole('quantity'),
  quantity_decimal: lineHole('quantityDecimal'),
  subscription: lineHole('subscription'),
  subtotal: lineHole('amount'),
  taxes: [],
})

/** Most invoices have one line, one in 20 up to ten, and one in 500 up to 250, which no list of invoices carries in full. */
export function lineCount(account: Account, invoiceIndex: number): number {
  const drawn = account.draw('invoices', invoiceIndex, 7)
  const more = account.draw('invoices', invoiceIndex, 8)
  if (drawn % 500 === 0) return INLINED_LINES + 1 + (more % (MOST_LINES - INLINED_LINES))
  return drawn % 20 === 0 ? 2 + (more % (INLINED_LINES - 1)) : 1
}

interface LineAmount {
  readonly cents: number
  readonly quantity: number
  readonly priceIndex: number
  readonly drawn: number
}

function lineAmount(account: Account, invoiceIndex: number, place: number): LineAmount {
  const drawn = account.draw('invoice_line_items', invoiceIndex, place)
  const priceIndex = account.referenceIndex('prices', drawn >>> 5) ?? 0
  const quantity = 1 + (drawn % 12)
  const cents = Math.round((priceAmount(account, priceIndex).tenths * quantity) / 10)
  return { cents, quantity, priceIndex, drawn }
}

/** What the lines of an invoice add up to, in cents. */
export function linesTotal(account: Account, invoiceIndex: number): number {
  let total = 0
  for (let place = lineCount(account, invoiceIndex) - 1; place >= 0; place -= 1)
    total += lineAmount(account, invoiceIndex, place).cents
  return total
}

/** JSON that the lines of an invoice share with it. */
export interface LineContext {
  readonly invoice: string
  readonly subscription: string
  readonly currency: string
  readonly createdSeconds: number
}

export function renderLine(
  out: JsonOut,
  account: Account,
  invoiceIndex: number,
  place: number,
  context: LineContext,
): void {
  const { cents, quantity, priceIndex, drawn } = lineAmount(account, invoiceIndex, place)
  const id = account.lineId('invoice_line_items', invoiceIndex, place)
  const key = id.slice('il_1'.length)
  line(out, {
    id: `"${id}"`,
    amount: String(cents),
    currency: context.currency,
    description: `"${quantity} \\u00d7 Item ${priceIndex + 1} (per month)"`,
    invoice: context.invoice,
    invoiceItem: drawn % 4 === 0 ? `"ii_1${key}"` : 'null',
    isProration: drawn % 4 === 0 ? 'true' : 'false',
    subscription: context.subscription,
    subscriptionItem: `"si_${key.slice(0, 14)}"`,
    start: String(context.createdSeconds - MONTH_SECONDS),
    end: String(context.createdSeconds),
    price: account.reference('prices', priceIndex),
    product: productOfPrice(account, priceIndex),
    unitAmountDecimal: priceAmount(account, priceIndex).unitAmountDecimal,
    quantity: String(quantity),
    quantityDecimal: `"${quantity}"`,
  })
}
