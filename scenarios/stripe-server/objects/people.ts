import type { Account } from '../account.ts'
import { type Filling, holes, jsonText, template } from '../template.ts'

const FIRST_NAMES = ['Ada', 'Björn', 'Chloé', 'Dmitri', 'Emeka', 'Fatima', 'Grace', 'Hiro', 'Inês', 'João']
const LAST_NAMES = ['Abara', 'Brøndum', 'Castillo', 'Đỗ', 'Eriksson', 'Fischer', 'García', 'Łukasik', '山田']
const NAMES = FIRST_NAMES.flatMap((first) => LAST_NAMES.map((last) => jsonText(`${first} ${last}`)))
const CURRENCIES = ['"eur"', '"eur"', '"usd"', '"usd"', '"usd"', '"gbp"', '"jpy"']
const addressHole = holes(['postalCode'])
const ADDRESSES = [
  { city: 'Berlin', country: 'DE', line1: 'Torstraße 12', state: null },
  { city: 'Dublin', country: 'IE', line1: '3 Grand Canal Street', state: 'Leinster' },
  { city: 'Kraków', country: 'PL', line1: 'ul. Długa 7', state: null },
  { city: 'San Francisco', country: 'US', line1: '354 Oyster Point Boulevard', state: 'CA' },
  { city: '東京', country: 'JP', line1: '千代田区丸の内 1-1', state: '東京都' },
].map((address) => template(addressHole, { ...address, line2: null, postal_code: addressHole('postalCode') }))

/** Values of a customer that other objects repeat, as JSON; all of them are functions of the customer's index. */
export interface Person {
  readonly name: string
  readonly email: string
  readonly phone: string
  readonly address: Filling
  readonly currency: string
}

export function personOf(account: Account, customerIndex: number): Person {
  const drawn = account.draw('customers', customerIndex, 1)
  return {
    name: pick(NAMES, drawn),
    email: `"customer.${customerIndex}@example.com"`,
    phone: drawn % 3 === 0 ? 'null' : `"+49 30 ${drawn % 10_000_000}"`,
    address: (out) => pick(ADDRESSES, drawn >>> 8)(out, { postalCode: `"${10_000 + (drawn % 90_000)}"` }),
    currency: pick(CURRENCIES, drawn >>> 12),
  }
}

export function pick<Item>(items: readonly Item[], drawn: number): Item {
  const item = items[drawn % items.length]
  if (item === undefined) throw new RangeError('there is nothing to pick from')
  return item
}
