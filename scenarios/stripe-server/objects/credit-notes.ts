import type { Account } from '../account.ts'
import { type Filling, holes, type JsonOut, template } from '../template.ts'
import { pick } from './people.ts'

const REASONS = ['"duplicate"', '"order_change"', '"product_unsatisfactory"', 'null']

const creditNoteHole = holes([
  'id',
  'total',
  'created',
  'currency',
  'customer',
  'invoice',
  'lines',
  'number',
  'pdf',
  'reason',
])
const creditNote = template(creditNoteHole, {
  id: creditNoteHole('id'),
  object: 'credit_note',
  amount: creditNoteHole('total'),
  amount_shipping: 0,
  created: creditNoteHole('created'),
  currency: creditNoteHole('currency'),
  customer: creditNoteHole('customer'),
  customer_account: null,
  customer_balance_transaction: null,
  discount_amount: 0,
  discount_amounts: [],
  effective_at: creditNoteHole('created'),
  invoice: creditNoteHole('invoice'),
  lines: creditNoteHole('lines'),
  livemode: false,
  memo: null,
  metadata: {},
  number: creditNoteHole('number'),
  out_of_band_amount: null,
  pdf: creditNoteHole('pdf'),
  post_payment_amount: creditNoteHole('total'),
  pre_payment_amount: 0,
  pretax_credit_amounts: [],
  reason: creditNoteHole('reason'),
  refunds: [],
  shipping_cost: null,
  status: 'issued',
  subtotal: creditNoteHole('total'),
  subtotal_excluding_tax: creditNoteHole('total'),
  total: creditNoteHole('total'),
  total_excluding_tax: creditNoteHole('total'),
  total_taxes: [],
  type: 'post_payment',
  voided_at: null,
})

/** @param lines the inlined list of lines */
export function renderCreditNote(out: JsonOut, account: Account, index: number, lines: Filling): void {
  const drawn = account.draw('credit_notes', index, 1)
  const id = account.idOf('credit_notes', index)
  const all = creditNoteLines(account, index)
  let total = 0
  for (let place = 0; place < all.count; place += 1) total += lineCents(account, index, place)
  creditNote(out, {
    id: `"${id}"`,
    total: String(total),
    created: String(account.timeline('credit_notes').createdSeconds(index)),
    currency: drawn % 2 === 0 ? '"eur"' : '"usd"',
    customer: account.reference('customers', drawn),
    invoice: account.reference('invoices', drawn),
    lines,
    number: `"${drawn.toString(16).toUpperCase()}-CN-${index % 100}"`,
    pdf: `"https://pay.stripe.com/credit_notes/${account.id}/${id}/pdf"`,
    reason: pick(REASONS, drawn >>> 4),
  })
}

const lineHole = holes(['id', 'amount', 'description', 'amountDecimal'])
const line = template(lineHole, {
  id: lineHole('id'),
  object: 'credit_note_line_item',
  amount: lineHole('amount'),
  description: lineHole('description'),
  discount_amount: 0,
  discount_amounts: [],
  livemode: false,
  metadata: {},
  pretax_credit_amounts: [],
  quantity: 1,
  tax_rates: [],
  taxes: [],
  type: 'custom_line_item',
  unit_amount: lineHole('amount'),
  unit_amount_decimal: lineHole('amountDecimal'),
})

/** One to three lines, all of them inlined. */
export function creditNoteLines(account: Account, index: number) {
  return {
    count: 1 + (account.draw('credit_notes', index, 2) % 3),
    render: (out: JsonOut, place: number) => {
      const cents = lineCents(account, index, place)
      line(out, {
        id: `"${account.lineId('credit_note_line_items', index, place)}"`,
        amount: String(cents),
        amountDecimal: `"${cents}"`,
        description: `"Correction ${place + 1}"`,
      })
    },
  }
}

function lineCents(account: Account, index: number, place: number): number {
  return 100 + (account.draw('credit_note_line_items', index, place) % 20_000)
}
